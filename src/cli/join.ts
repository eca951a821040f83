import { Option } from 'commander'
import { join } from '../surgery/join.ts'
import { answering, examples, jsonOption, type Verb } from './command.ts'
import { editAnswer, openModel, writeEdited } from './edit-model.ts'
import { checkOutput } from './model.ts'
import { type Pair, pairs, splitPair } from './pairs.ts'

interface Options {
  readonly out: string
  readonly map?: readonly Pair[]
  readonly prefixA?: string
  readonly prefixB?: string
  readonly keepOutputs?: boolean
}

/** `sinter join`: two models as one. */
export const joinVerb: Verb = (program, io) => {
  program
    .command('join')
    .description('make one model of two: outputs of the first go into inputs of the second')
    .argument('<a>', 'an .onnx file')
    .argument('<b>', 'another one')
    .requiredOption('-o, --out <file>', 'where to write the whole')
    .addOption(
      new Option('--map <output=input>', 'an output of a and the input of b that it goes into').argParser(pairs),
    )
    .option('--prefix-a <text>', 'before every name of a')
    .option('--prefix-b <text>', 'before every name of b')
    .option('--keep-outputs', 'outputs of a that go into b stay outputs')
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'join backbone.onnx head.onnx -o model.onnx',
          'join resize.onnx net.onnx --map resized=image --prefix-a pre/ -o model.onnx',
        ],
        `Without --map, outputs go into the inputs of the same name, or the only output
into the only input. Types are checked, the older model is upgraded to the opset
of the newer, and names inside of b give way to those of a. Inputs and outputs
that nothing connects stay.`,
      ),
    )
    .action(
      answering(io, async (pathA: string, pathB: string, options: Options) => {
        const { out, map, prefixA, prefixB, keepOutputs } = options
        await checkOutput(out, [pathA, pathB])
        const [a, b] = [await openModel(pathA), await openModel(pathB)]
        const outputs = new Set(a.outputs.map(({ name }) => name))
        const links = map?.map(pair => splitPair(pair, name => outputs.has(name)))
        const whole = join(a, b, {
          ...(links ? { map: Object.fromEntries(links) } : {}),
          ...(prefixA === undefined ? {} : { prefixA }),
          ...(prefixB === undefined ? {} : { prefixB }),
          ...(keepOutputs ? { keepOutputs } : {}),
        })
        const written = await writeEdited(out, whole, [pathA, pathB])
        return editAnswer({ ...written, opset: whole.opset }, [written], [], io.columns)
      }),
    )
}
