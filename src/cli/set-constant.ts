import { Option } from 'commander'
import { type DType, isFloat, isInteger } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { suggestion } from '../base/near-names.ts'
import { type Dim, elementCount, formatType, isTensorType, type TensorType } from '../base/shape.ts'
import { fromNumbers, numbers, type Tensor, tensor } from '../base/tensor.ts'
import { readNpy } from '../data/node-files.ts'
import type { Graph } from '../graph/graph.ts'
import { setConstants } from '../surgery/set-constant.ts'
import { answering, examples, jsonOption, type Verb } from './command.ts'
import { editAnswer, openModel, signatureOf, writeEdited } from './edit-model.ts'
import { checkOutput } from './model.ts'
import { type Pair, pairs, splitPair } from './pairs.ts'

interface Options {
  readonly out: string
  readonly set: readonly Pair[]
}

/** `sinter set-constant`: inputs become constants. */
export const setConstantVerb: Verb = (program, io) => {
  program
    .command('set-constant')
    .description('turn inputs of a model into constants')
    .argument('<model>', 'an .onnx file')
    .requiredOption('-o, --out <file>', 'where to write the model')
    .addOption(
      new Option('--set <input=value>', 'an input and its value: numbers with commas between, or an .npy file')
        .argParser(pairs)
        .makeOptionMandatory(),
    )
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'set-constant vad.onnx --set sr=16000 -o vad16k.onnx',
          'set-constant net.onnx --set mean=mean.npy --set training=false -o fixed.onnx',
        ],
        `One number fills an input of any fixed shape. The values go into the file as
initializers; sinter simplify then folds what follows from them.`,
      ),
    )
    .action(
      answering(io, async (path: string, { out, set }: Options) => {
        await checkOutput(out, [path])
        const graph = await openModel(path)
        const values = Object.fromEntries(
          await Promise.all(
            set.map(async pair => {
              const [name, text] = splitPair(pair, left => graph.inputs.some(value => value.name === left))
              return [name, await readValue(text, name, inputType(graph, name))] as const
            }),
          ),
        )
        const written = await writeEdited(out, setConstants(graph, values), [path])
        const constants = Object.entries(values).map(([name, type]) => signatureOf({ name, type }))
        return editAnswer({ ...written, constants }, [written], [], io.columns)
      }),
    )
}

function inputType(graph: Graph, name: string): TensorType {
  const input = graph.inputs.find(value => value.name === name)
  const names = graph.inputs.map(value => value.name)
  if (!input)
    throw new SinterError('not-found', `The model has no input '${name}'. ${suggestion(name, names)}`, { name })
  if (isTensorType(input.type)) return input.type
  throw new SinterError('not-supported', `The input '${name}' is ${formatType(input.type)}; only tensors can be set.`, {
    name,
  })
}

async function readValue(text: string, name: string, type: TensorType): Promise<Tensor> {
  if (/\.npy(\.gz)?$/i.test(text)) return asType(await readNpy(text), type.dtype)
  if (type.dtype === 'string') return tensor('string', shapeFor(1, name, type), [text])
  const values = text.split(',').map(one => numberOf(one.trim(), name))
  const broken = isFloat(type.dtype) ? undefined : values.find(value => !Number.isInteger(value))
  if (broken !== undefined)
    throw new SinterError('invalid-argument', `The input '${name}' is ${type.dtype}; it cannot be ${broken}.`, { name })
  const shape = shapeFor(values.length, name, type)
  const count = elementCount(shape)
  return fromNumbers(type.dtype, shape, values.length === 1 ? new Array<number>(count).fill(values[0]!) : values)
}

function numberOf(text: string, name: string): number {
  const words: Readonly<Record<string, number>> = {
    true: 1,
    false: 0,
    inf: Infinity,
    '-inf': -Infinity,
    nan: Number.NaN,
  }
  const value = words[text.toLowerCase()] ?? (text === '' ? undefined : Number(text))
  if (value !== undefined && (!Number.isNaN(value) || text.toLowerCase() === 'nan')) return value
  throw new SinterError(
    'invalid-argument',
    `'${text}' is no number to set '${name}' to; for arrays give an .npy file.`,
    {
      name,
      text,
    },
  )
}

/** The shape that some numbers have as a value of a type: one open size follows from their count. */
function shapeFor(count: number, name: string, { dtype, shape }: TensorType): readonly number[] {
  if (!shape) return count === 1 ? [] : [count]
  const open = shape.flatMap((dim, axis) => (typeof dim === 'string' ? [axis] : []))
  const known = shape.reduce<number>((product, dim: Dim) => product * (typeof dim === 'number' ? dim : 1), 1)
  const sizeOfOpen = count === 1 ? 1 : open.length === 1 ? count / known : Number.NaN
  const sizes = shape.map(dim => (typeof dim === 'number' ? dim : sizeOfOpen))
  const fits = sizes.every(Number.isInteger) && (count === 1 || elementCount(sizes) === count)
  if (fits) return sizes
  throw new SinterError(
    'invalid-argument',
    `${count} numbers do not make the input '${name}', ${formatType({ dtype, shape })}; for arrays give an .npy file.`,
    { name, count },
  )
}

/** NumPy's arrays are float64 and int64 unless told; they become the input's type where nothing but precision is lost. */
function asType(value: Tensor, dtype: DType): Tensor {
  if (value.dtype === dtype) return value
  const bothFloat = isFloat(value.dtype) && isFloat(dtype)
  const countable = (isInteger(value.dtype) || value.dtype === 'bool') && (isInteger(dtype) || isFloat(dtype))
  if (!bothFloat && !countable) return value
  const before = numbers(value)
  const made = fromNumbers(dtype, value.shape, before)
  if (bothFloat) return made
  const after = numbers(made)
  for (let i = 0; i < before.length; i++) if (before[i] !== after[i]) return value
  return made
}
