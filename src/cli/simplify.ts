import { InvalidArgumentError, Option } from 'commander'
import { suggestion } from '../base/near-names.ts'
import type { Shape } from '../base/shape.ts'
import { type Graph, requiredInputs } from '../graph/graph.ts'
import { readModel } from '../onnx/files.ts'
import { assertValid } from '../read/check.ts'
import { save } from '../read/model-file.ts'
import { clean, shorten } from '../report/text.ts'
import { onnxruntimeWorkers } from '../runtime/worker-engine.ts'
import { stepNames } from '../verify/apply-steps.ts'
import { readFeeds } from '../verify/read-feeds.ts'
import { type SimplifyModelOptions, type SimplifyReport, simplifyModel } from '../verify/simplify-model.ts'
import { answering, examples, type Io, jsonOption, type Verb, wrongUsage } from './command.ts'
import { shapesByInput, wholeShapes } from './dimensions.ts'
import { bytesOfModel, checkOutput, hasExternalData } from './model.ts'
import { byteCount, count, inputShapes, wholeNumber } from './options.ts'
import { stepList, summary } from './simplify-text.ts'

/** Shapes by input, or by an axis of one. */
type Shapes = Readonly<Record<string, Shape>>

export interface SimplifyFileOptions extends Omit<SimplifyModelOptions, 'feeds' | 'backend' | 'pin' | 'testWith'> {
  /** Shapes that inputs are fixed to; `{ 'x:2': [320] }` fixes an axis alone. */
  readonly pin?: Shapes
  /** Shapes of inputs for the comparison alone, likewise; what is open in them is as the model has it. */
  readonly testWith?: Shapes
  /** The .onnx file to write; if left out, nothing is written. */
  readonly out?: string
  /** A .npz or .json file of feeds to compare outputs on. */
  readonly feeds?: string
}

/** A report with the files that it is about. */
export interface Simplified extends SimplifyReport {
  readonly file: string
  /** The file written; null where none was asked for. */
  readonly out: string | null
  /** All files written: the model, and, where its weights are in a file of their own, that. */
  readonly files: readonly string[]
}

/**
 * Simplifies a model file; see `simplifyModel`. Weights that were in files of their own stay so. The input is never
 * written over.
 * @throws SinterError as `readModel`, `simplifyModel` and `save` do.
 */
export async function simplifyFile(path: string, options: SimplifyFileOptions = {}): Promise<Simplified> {
  const { out, feeds, pin, testWith, ...rest } = options
  if (out !== undefined) await checkOutput(out, [path])
  const model = await readModel(path)
  assertValid(model)
  const given = feeds === undefined ? {} : { feeds: await readFeeds(feeds, requiredInputs(model)) }
  const shapes = shapesOf(pin, testWith, model)
  const { graph, report } = await simplifyModel(model, { ...rest, ...shapes, ...given, backend: onnxruntimeWorkers })
  const before = await bytesOfModel(path, model)
  if (out === undefined) return { file: path, out: null, files: [], ...report, bytes: { ...report.bytes, before } }
  options.onProgress?.('writing')
  options.signal?.throwIfAborted()
  const files = await save(out, graph, hasExternalData(model) ? { external: 'always' } : {})
  return { file: path, out, files, ...report, bytes: { before, after: await bytesWritten(out) } }
}

/** Shapes to pin and to run with, whole where an axis of an input was named. What is pinned need not be said again. */
function shapesOf(
  pin: Shapes | undefined,
  testWith: Shapes | undefined,
  model: Graph,
): Pick<SimplifyModelOptions, 'pin' | 'testWith'> {
  const pinned = pin ? { pin: shapesByInput(pin, model) } : {}
  if (!testWith) return pinned
  const both = shapesByInput({ ...pin, ...testWith }, model)
  const asked = Object.keys(shapesByInput(testWith, model)).map(name => [name, both[name]!] as const)
  return { ...pinned, testWith: wholeShapes(Object.fromEntries(asked), model) }
}

/** As it was written: the file, and its data beside it. */
async function bytesWritten(out: string): Promise<number> {
  return bytesOfModel(out, await readModel(out))
}

interface Options {
  readonly out?: string
  readonly pin?: Readonly<Record<string, Shape>>
  readonly testWith?: Readonly<Record<string, Shape>>
  readonly feeds?: string
  readonly seed: number
  readonly skip?: readonly string[]
  readonly only?: readonly string[]
  readonly opset?: number
  readonly keepNames?: boolean
  readonly strip?: string
  readonly keepOverridable?: boolean
  readonly maxGrowth?: number
  readonly explain?: boolean
  readonly check: boolean
  readonly threads?: number
  readonly list?: boolean
}

/** `sinter simplify`: the same model with less in it. */
export const simplifyVerb: Verb = (program, io) => {
  program
    .command('simplify')
    .description('make a model smaller and faster without changing what it computes; outputs are compared')
    .argument('[model]', 'an .onnx file')
    .option('-o, --out <file>', 'the .onnx file to write (default: none, only tell what would come of it)')
    .addOption(
      new Option(
        '--pin <shapes>',
        'fix an input to a shape, x=1,3,224,224 (? leaves a dimension), or an axis, x:0=1',
      ).argParser(inputShapes),
    )
    .addOption(
      new Option('--test-with <shapes>', 'shapes to compare outputs with; the model keeps its own').argParser(
        inputShapes,
      ),
    )
    .option('--feeds <file>', 'compare outputs on these inputs (.npz, .json) instead of random ones')
    .addOption(new Option('--seed <number>', 'of the random inputs').argParser(count).default(0))
    .addOption(new Option('--skip <step>', 'leave out a step; again for more').argParser(names))
    .addOption(new Option('--only <step>', 'take this step alone; again for more').argParser(names))
    .addOption(
      new Option(
        '--opset <version>',
        'write it in this opset (default: the oldest that can say it, no older than its own)',
      ).argParser(wholeNumber),
    )
    .option('--keep-names', 'tensors and nodes made anew take the names of those they replace')
    .addOption(new Option('--strip <what>', 'leave out documentation and metadata').choices(['metadata']))
    .option('--keep-overridable', 'keep initializers among the inputs: callers override them')
    .addOption(
      new Option('--max-growth <bytes>', 'what folded constants may add in sum: 10M, none (default: 64k)').argParser(
        byteCount,
      ),
    )
    .option('--explain', 'what each rule found and left alone, and why')
    .option('--no-check', 'do not compare outputs')
    .addOption(new Option('--threads <count>', 'cores to use (default: all)').argParser(wholeNumber))
    .option('--list', 'list the steps instead')
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'simplify model.onnx -o slim.onnx',
          'simplify model.onnx',
          'simplify model.onnx -o slim.onnx --pin image=1,3,224,224',
          'simplify model.onnx -o slim.onnx --test-with image=2,3,96,96 --explain',
        ],
        `The result is compared with the original on seeded random inputs. A step that
changes outputs is found by bisection, left out and named; what is written is
right. Where onnxruntime cannot run a model (operators of its own), the result
is written and said to be not checked. --feeds takes .npz with an array for each
input, or .json: { "x": [[1, 2]] }, or { "x": { "shape": [1, 2], "data": [1, 2] } },
or a list of such objects for several runs.`,
      ),
    )
    .action(
      answering(io, async (path: string | undefined, options: Options) => {
        if (options.list) return { json: { steps: stepNames() }, text: stepList(io.columns) }
        if (path === undefined) throw wrongUsage("missing required argument 'model'")
        checkSides(options)
        const shown = progress(io)
        const simplified = await simplifyFile(path, {
          ...fileOptions(options),
          onProgress: shown.onProgress,
          signal: io.signal,
        }).finally(shown.stop)
        const { rules: _, ...rest } = simplified
        return {
          json: options.explain ? simplified : rest,
          text: summary(simplified, io.columns, options.explain),
        }
      }),
    )
}

function fileOptions({ strip, list: _, explain: __, ...options }: Options & { json?: boolean }): SimplifyFileOptions {
  const { json: ___, ...rest } = options
  return {
    ...rest,
    ...(strip === undefined ? {} : { strip: true }),
  }
}

/** Parses steps by name, with commas between them or given again. */
function names(text: string, before: readonly string[] = []): readonly string[] {
  const given = text.split(',').filter(name => name !== '')
  const known = stepNames()
  const unknown = given.find(name => !known.includes(name))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`There is no step '${unknown}'. ${suggestion(unknown, known)} --list has them all.`)
  return [...before, ...given]
}

/** Refuses a step that is to be both taken and left out. */
function checkSides({ skip = [], only = [] }: Options): void {
  const both = only.find(name => skip.includes(name))
  if (both !== undefined) throw wrongUsage(`'${both}' is in --only and in --skip; name it in one of them.`)
}

/** What is being done, on a line that is drawn over, or once in a line of its own; told only where it takes a while. */
function progress({ live, err, columns }: Io): {
  readonly onProgress: (text: string) => void
  readonly stop: () => void
} {
  const started = performance.now()
  const told = new Set<string>()
  let last = ''
  return {
    onProgress(text) {
      if (text === last || performance.now() - started < 1000) return
      last = text
      const line = `${shorten(clean(text), columns - 5)} ...`
      if (live) err(`\r\x1b[2K${line}`)
      else if (!told.has(text)) err(`${line}\n`)
      told.add(text)
    },
    stop: () => {
      if (live && last !== '') err('\r\x1b[2K')
    },
  }
}
