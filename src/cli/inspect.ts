import { Option } from 'commander'
import { messageOf, SinterError } from '../base/errors.ts'
import { formatType, isTensorType } from '../base/shape.ts'
import { type Graph, requiredInputs, type Value } from '../graph/graph.ts'
import { print } from '../graph/print.ts'
import { readModel } from '../onnx/files.ts'
import { check, type Problem } from '../read/check.ts'
import type { OperatorRefusal } from '../read/refusals.ts'
import { countNodes, countOperators, type Layer, layerName, type Summary, summarize } from '../read/summary.ts'
import { type Refusal, upgrade } from '../read/upgrade.ts'
import { simplifyModel } from '../verify/simplify-model.ts'
import { answering, examples, jsonOption, type Verb } from './command.ts'
import { boundSizes } from './dimensions.ts'
import { inspectionText } from './inspect-text.ts'
import { type LatencyDocument, type LatencyOptions, measureLayers } from './layer-latency.ts'
import { bytesOfModel } from './model.ts'
import { count, sizes, wholeNumber } from './options.ts'

export interface InspectOptions extends LatencyOptions {
  /** Sizes of symbolic dimensions, by symbol or as `x:0`; those not named are 1. */
  readonly bind?: Readonly<Record<string, number>>
  /** Whether to try what `sinter simplify` would do; on if left out, except for graphs of more than 5,000 nodes. */
  readonly simplify?: boolean
  /** Whether to run the model and measure how long each node takes. */
  readonly latency?: boolean
}

/** What a model file holds and costs. What follows from shapes is null, or empty, where the graph is broken. */
export interface Inspection {
  readonly file: string
  readonly name: string
  readonly producer: { readonly name: string; readonly version: string } | null
  readonly irVersion: number | null
  readonly opset: Readonly<Record<string, number>>
  readonly bytes: number
  readonly nodes: number
  readonly parameters: number | null
  readonly parameterBytes: number | null
  /** These four are at least so much where `uncounted`, `countedOnce` or `unsized` are not 0. */
  readonly macs: number | null
  readonly bytesRead: number | null
  readonly bytesWritten: number | null
  readonly peakActivationBytes: number | null
  /** The layer at which activations take the most. */
  readonly peakLayer: string | null
  /** Nodes whose multiply-accumulates are not known, and so not in `macs`. */
  readonly uncounted: number | null
  /** Nodes that run their bodies a number of times that is not known: once is counted. */
  readonly countedOnce: number | null
  /** Values whose size is not known. */
  readonly unsized: number | null
  /** Sizes taken for the symbols of the inputs. */
  readonly sizes: Readonly<Record<string, number>>
  /** Symbols that 1 is too small for, and the size that they have instead. */
  readonly fitted: readonly string[]
  readonly fittingSize: number | null
  /** Symbols that nothing that was tried fits. */
  readonly open: readonly string[]
  readonly inputs: readonly ValueDocument[]
  readonly outputs: readonly ValueDocument[]
  readonly operators: Readonly<Record<string, number>>
  readonly layers: readonly Layer[]
  readonly storage: StorageDocument | null
  readonly simplified: SimplifiedDocument | null
  /** Why there is no `simplified`. */
  readonly notSimplified: string | null
  readonly refusals: readonly OperatorRefusal[]
  readonly latency: LatencyDocument | null
  /** Why the graph could not be upgraded to the opset that Sinter works in; empty if it could. */
  readonly notUpgraded: readonly Refusal[]
  readonly problems: readonly Problem[]
  readonly metadata: Readonly<Record<string, string>>
}

export interface ValueDocument {
  readonly name: string
  readonly type: string
  readonly dtype: string | null
  readonly shape: readonly (number | string)[] | null
}

/** The tensors that a model carries, largest first; each with the first layer that reads it. */
export interface StorageDocument {
  readonly bytes: number
  readonly dtypes: readonly { readonly dtype: string; readonly tensors: number; readonly bytes: number }[]
  readonly tensors: readonly {
    readonly name: string
    readonly dtype: string
    readonly shape: readonly number[]
    readonly bytes: number
    readonly layer: string | null
  }[]
}

/** What simplifying makes of a model; `steps` are those that change something. */
export interface SimplifiedDocument {
  readonly nodes: { readonly before: number; readonly after: number }
  readonly bytes: { readonly before: number; readonly after: number }
  readonly seconds: number
  readonly steps: readonly { readonly name: string; readonly changes: number }[]
}

/** Reads a model file and says what is in it, also where it breaks the rules of ONNX. */
export async function inspect(path: string, options: InspectOptions = {}): Promise<Inspection> {
  return inspectGraph(await readModel(path), path, options)
}

async function inspectGraph(graph: Graph, path: string, options: InspectOptions): Promise<Inspection> {
  const bind = boundSizes(options.bind ?? {}, [graph])
  const problems = check(graph)
  const sound = problems.length === 0
  const summary = sound ? summarize(graph, { bind }) : undefined
  const simplified = await simplifiedOf(graph, sound, options.simplify)
  return {
    file: path,
    name: graph.name,
    producer: graph.producer ?? null,
    irVersion: graph.irVersion ?? null,
    opset: graph.opset,
    bytes: await bytesOfModel(path, graph),
    nodes: countNodes(graph),
    parameters: summary?.parameters ?? null,
    parameterBytes: summary?.parameterBytes ?? null,
    macs: summary?.macs ?? null,
    bytesRead: summary?.bytesRead ?? null,
    bytesWritten: summary?.bytesWritten ?? null,
    peakActivationBytes: summary?.peakActivationBytes ?? null,
    peakLayer: summary?.peakLayer ?? null,
    uncounted: summary?.uncounted ?? null,
    countedOnce: summary?.countedOnce ?? null,
    unsized: summary?.unsized ?? null,
    sizes: summary?.sizes ?? {},
    fitted: summary?.fitted ?? [],
    fittingSize: summary?.sizes[summary.fitted[0] ?? ''] ?? null,
    open: summary?.open ?? [],
    inputs: (summary?.inputs ?? requiredInputs(graph)).map(valueDocument),
    outputs: (summary?.outputs ?? graph.outputs).map(valueDocument),
    operators: Object.fromEntries(countOperators(graph)),
    layers: summary?.layers ?? [],
    storage: summary ? storageDocument(summary) : null,
    simplified: typeof simplified === 'string' ? null : simplified,
    notSimplified: typeof simplified === 'string' ? simplified : null,
    refusals: summary?.refusals ?? [],
    latency: options.latency && sound ? await measureLayers(graph, { ...options, bind }) : null,
    notUpgraded: sound ? upgrade(graph).refused : [],
    problems,
    metadata: graph.metadata,
  }
}

function valueDocument({ name, type }: Value): ValueDocument {
  const tensor = isTensorType(type) ? type : undefined
  return { name, type: formatType(type), dtype: tensor?.dtype ?? null, shape: tensor?.shape ?? null }
}

function storageDocument({ storage: { bytes, dtypes, tensors } }: Summary): StorageDocument {
  return {
    bytes,
    dtypes,
    tensors: tensors.map(({ reader, ...tensor }) => ({ ...tensor, layer: reader ? layerName(reader) : null })),
  }
}

/** Beyond this, simplifying only to tell about it takes too long. */
const mostNodes = 5000

/** What simplifying would make of it, or why that is not known. */
async function simplifiedOf(graph: Graph, sound: boolean, wanted?: boolean): Promise<SimplifiedDocument | string> {
  if (!sound) return 'the graph is broken'
  if (wanted === false) return 'it was not asked for'
  const total = countNodes(graph)
  if (wanted === undefined && total > mostNodes) return `${total} nodes take a while; ask with --simplify`
  try {
    const { report } = await simplifyModel(graph, { check: false })
    const { nodes, bytes, seconds, passes } = report
    const steps = passes.filter(({ changes }) => changes > 0).sort((a, b) => b.changes - a.changes)
    return { nodes, bytes, seconds, steps: steps.map(({ name, changes }) => ({ name, changes })) }
  } catch (error) {
    if (!(error instanceof SinterError)) throw error
    return messageOf(error)
  }
}

interface Options extends InspectOptions {
  readonly layers?: boolean
  readonly graph?: boolean
}

/** `sinter inspect`: what is in a model file. */
export const inspectVerb: Verb = (program, io) => {
  program
    .command('inspect')
    .description('show what is in a model: inputs, outputs, operators, parameters, costs, what can be done with it')
    .argument('<model>', 'an .onnx file')
    .option('--layers', 'a line for each node: name, operator, output shape, parameters, MACs')
    .option('--graph', 'the whole graph as text instead')
    .addOption(
      new Option(
        '--bind <sizes>',
        'sizes of open dimensions, such as N=8 or x:1=512 (default: 1, or what fits)',
      ).argParser(sizes),
    )
    .option('--latency', 'run the model, and show how long each layer takes')
    .addOption(new Option('--threads <count>', 'threads for --latency (default: the cores)').argParser(wholeNumber))
    .addOption(new Option('--runs <count>', 'runs for --latency (default: 50)').argParser(wholeNumber))
    .option('--feeds <file>', 'inputs for --latency, .npz or .json (default: random ones)')
    .addOption(new Option('--seed <number>', 'of the random inputs').argParser(count).default(0))
    .option('--simplify', 'try what sinter simplify would do, however large the model')
    .option('--no-simplify', 'do not try it')
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'inspect model.onnx',
          'inspect model.onnx --layers --bind N=8',
          'inspect model.onnx --latency --threads 1',
          'inspect model.onnx --json | jq .macs',
        ],
        `MACs are multiply-accumulates of convolutions and matrix products for one run.
Activations are counted in the order of the nodes, nothing being done in place.
Times are those of onnxruntime's profiler; what it fused stands with the layer
that it calls the result. A broken graph is no error: its problems are listed.`,
      ),
    )
    .action(
      answering(io, async (path: string, options: Options) => {
        const graph = await readModel(path)
        if (options.graph) return { json: { file: path, graph: print(graph) }, text: print(graph) }
        const found = await inspectGraph(graph, path, options)
        return { json: found, text: inspectionText(found, { layers: options.layers ?? false, width: io.columns }) }
      }),
    )
}
