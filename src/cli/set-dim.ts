import { messageOf, SinterError } from '../base/errors.ts'
import { suggestion } from '../base/near-names.ts'
import { type Dim, isTensorType, shapeOf } from '../base/shape.ts'
import { type Graph, requiredInputs } from '../graph/graph.ts'
import { counted } from '../report/format.ts'
import { wrap } from '../report/text.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { type DimChange, setDims } from '../surgery/set-dims.ts'
import { checkStacked } from '../verify/check-stacked.ts'
import { outputDifferences } from '../verify/equivalence.ts'
import { answering, examples, jsonOption, type Verb, wrongUsage } from './command.ts'
import { editAnswer, openModel, writeEdited } from './edit-model.ts'
import { checkOutput } from './model.ts'
import { type Pair, pairs } from './pairs.ts'

interface Options {
  readonly out: string
  readonly dim?: readonly Pair[]
  readonly batch?: string
  readonly check: boolean
}

/** Whether the result was run beside the original. */
interface Checked {
  readonly ok: boolean
  /** How: on two examples at once, or on sizes that both take. */
  readonly by: 'stacked' | 'same-size' | null
  /** Why it was not. */
  readonly skipped: string | null
}

const passed = {
  stacked: 'Checked: two examples at once give what each gives alone.',
  'same-size': 'Checked: on sizes that both take, outputs are the same.',
} as const

/** `sinter set-dim`: dimensions of inputs become symbols or sizes. */
export const setDimVerb: Verb = (program, io) => {
  program
    .command('set-dim')
    .alias('set-batch')
    .description('give dimensions of inputs, such as the batch, a symbol or a size')
    .argument('<model>', 'an .onnx file')
    .requiredOption('-o, --out <file>', 'where to write the model')
    .option('--batch <dim>', 'what the first axis of the inputs becomes, N or 8 say')
    .option('--dim <dim=new>', 'x:0=N: an axis of the input x; height=320: a symbol wherever it stands', pairs)
    .option('--no-check', 'do not run the result beside the original')
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'set-dim model.onnx --batch N -o batched.onnx',
          'set-dim model.onnx --dim x:2=height --dim x:3=width -o any-size.onnx',
          'set-dim model.onnx --dim batch=1,height=320 -o fixed.onnx',
        ],
        `Shapes in between are inferred anew. Where an old size stands in the target of a
Reshape, the target is fitted if all elements stay in their places; what cannot
be fitted is refused, with the nodes that stand in the way. The result is run
beside the original: with --batch, two random examples at once must give what
each gives alone; else outputs must be the same on sizes that both take.`,
      ),
    )
    .action(
      answering(io, async (path: string, { out, batch, dim = [], check }: Options) => {
        if (batch === undefined && dim.length === 0) throw wrongUsage('say what to set with --batch or --dim.')
        await checkOutput(out, [path])
        const graph = await openModel(path)
        const changes = [
          ...(batch === undefined ? [] : batchChanges(graph, dimOf(batch))),
          ...dim.flatMap(pair => pair.text.split(',').flatMap(text => changesOf(graph, text))),
        ]
        const { graph: made, refitted } = setDims(graph, changes)
        const checked = check ? await checkChanges(graph, made, changes, batch !== undefined) : skipped('--no-check')
        const written = await writeEdited(out, made, [path])
        const notes = [
          ...(refitted.length > 0
            ? [wrap(`Fitted the targets of ${counted(refitted.length, 'node')}: ${refitted.join(', ')}.`, io.columns)]
            : []),
          checked.ok ? passed[checked.by!] : wrap(`Not checked by running: ${checked.skipped}.`, io.columns),
        ]
        return editAnswer({ ...written, refitted, check: checked }, [written], notes, io.columns)
      }),
    )
}

function dimOf(text: string): Dim {
  if (/^\d+$/.test(text)) {
    const size = Number(text)
    if (Number.isSafeInteger(size) && size > 0) return size
    throw wrongUsage(`a dimension cannot be ${text}.`)
  }
  if (/[\s+*()=,]/.test(text)) throw wrongUsage(`'${text}' cannot be a symbol; use letters, digits and _.`)
  return text
}

/** The first axis of every input that has the first one's size or symbol there. */
function batchChanges(graph: Graph, to: Dim): readonly DimChange[] {
  const inputs = requiredInputs(graph).filter(({ type }) => (shapeOf(type)?.length ?? 0) > 0)
  const first = shapeOf(inputs[0]?.type)?.[0]
  if (first === undefined)
    throw new SinterError('invalid-argument', 'No input has a first dimension that is stated; there is no batch.')
  return inputs.filter(({ type }) => shapeOf(type)![0] === first).map(({ name }) => ({ input: name, axis: 0, to }))
}

/** `x:0=N`, an axis of an input, or `height=320`, a symbol. */
function changesOf(graph: Graph, text: string): readonly DimChange[] {
  const at = text.lastIndexOf('=')
  const [left, to] = [text.slice(0, at), dimOf(text.slice(at + 1))]
  const [, input, axis] = /^(.+):(-?\d+)$/.exec(left) ?? []
  if (input !== undefined && graph.inputs.some(({ name }) => name === input)) return [{ input, axis: Number(axis), to }]
  const symbols = new Set<string>()
  for (const { name, type } of graph.inputs) {
    for (const [i, dim] of (shapeOf(type) ?? []).entries()) {
      if (typeof dim !== 'string') continue
      if (dim === left) return [{ input: name, axis: i, to }]
      if (dim !== '') symbols.add(dim)
    }
  }
  const axes = graph.inputs.flatMap(({ name, type }) =>
    isTensorType(type) ? (type.shape ?? []).map((_, i) => `${name}:${i}`) : [],
  )
  const known = [...symbols, ...axes]
  throw new SinterError('not-found', `No input has a dimension '${left}'. ${suggestion(left, known)}`, {
    dim: left,
    known,
  })
}

/**
 * Runs the result beside the original. A batch: two examples at once must give what each gives alone. Other dimensions,
 * and what turns out to be no batch: both models on sizes that both take.
 * @throws SinterError `not-supported` where they do not give the same.
 */
async function checkChanges(
  before: Graph,
  after: Graph,
  changes: readonly DimChange[],
  isBatch: boolean,
): Promise<Checked> {
  const fromSize = changes.map(({ input, axis }) => {
    const shape = shapeOf(before.inputs.find(({ name }) => name === input)?.type)
    return typeof shape?.at(axis) === 'number'
  })
  const toSize = changes.map(({ to }) => typeof to === 'number')
  try {
    const opened = fromSize.every(Boolean) && !toSize.some(Boolean)
    const oneSymbol = new Set(changes.map(({ to }) => to)).size === 1
    if (opened && oneSymbol && (isBatch || changes.some(({ axis }) => axis === 0))) {
      const wrong = await checkStacked(before, after, changes, onnxruntimeNode)
      if (wrong === undefined) return { ok: true, by: 'stacked', skipped: null }
      if (isBatch) throw different(`of two examples at once, ${wrong}`)
    }
    if (fromSize.some((fixed, i) => fixed && toSize[i])) return skipped('no size fits both')
    // Whichever has the fewer open sizes says on what both can run.
    const { inputs } = fromSize.some(Boolean) ? before : after
    const differences = await outputDifferences(before, after, undefined, onnxruntimeNode, { inputs })
    const { same, compared, refused, outputs } = differences
    if (refused !== undefined) throw different(refused)
    const apart = Object.entries(outputs).find(([, one]) => !one.same)?.[0]
    if (!same) throw different(`the output '${apart}' is another`)
    return compared > 0 ? { ok: true, by: 'same-size', skipped: null } : skipped('no output can be compared')
  } catch (error) {
    if (!(error instanceof SinterError) || error.details.problem !== undefined) throw error
    return skipped(messageOf(error).replace(/\.$/, ''))
  }
}

const skipped = (why: string): Checked => ({ ok: false, by: null, skipped: why })

function different(problem: string): SinterError {
  return new SinterError(
    'not-supported',
    `The result does not do what the model did: ${problem.replace(/\.$/, '')}. Nothing was written; --no-check writes it all the same.`,
    { problem },
  )
}
