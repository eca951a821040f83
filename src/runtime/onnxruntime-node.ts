import type * as Engine from 'onnxruntime-node'
import type { DType } from '../base/dtype.ts'
import { messageOf, SinterError } from '../base/errors.ts'
import { formatType, isTensorType, type ValueType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { describe, type Graph, requiredInputs, type Value } from '../graph/graph.ts'
import { decode } from '../onnx/decode.ts'
import {
  type Backend,
  type Feeds,
  graphOptimizations,
  type OpenOptions,
  type Results,
  type Session,
} from './backend.ts'
import { nodeFinder, nodeNamed, reasonIn } from './engine-names.ts'
import { checkFeeds, checkFetch } from './feeds.ts'
import { load } from './load.ts'
import { unrankedInputs, withRanks } from './ranks.ts'
import { assertSound, feedChecker } from './validate.ts'

/**
 * Element types that the binding hands back and forth, all of them in the arrays that we hold them in. The others may
 * stand inside of a graph; at its inputs and outputs some end the process (int4: an absurd allocation).
 */
const exchangeable: ReadonlySet<DType> = new Set<DType>([
  'float32',
  'float64',
  'float16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'string',
])

/** Runs graphs on the CPU through the npm package `onnxruntime-node`, which is loaded when the first one is opened. */
export const onnxruntimeNode: Backend = onnxruntimeBackend(() => import('onnxruntime-node'))

/** A backend over a module with onnxruntime-node's interface. */
export function onnxruntimeBackend(importEngine: () => Promise<typeof Engine>): Backend {
  return {
    name: 'onnxruntime-node',
    async open(model, options = {}) {
      const settings = sessionOptions(options)
      const graph = model instanceof Uint8Array ? decode(model) : model
      for (const value of requiredInputs(graph)) checkExchangeable('input', value.name, value.type)
      for (const value of graph.outputs) checkExchangeable('output', value.name, value.type)
      assertSound(graph)
      const engine = await imported(importEngine)
      const opened: Opened = { engine, graph, settings, natives: new Map() }
      try {
        return sessionOver(opened, await nativeFor(opened, graph, ''))
      } catch (error) {
        await release(opened)
        throw error
      }
    },
  }
}

/** A graph that is open: once as it is, and once for each combination of ranks that its unranked inputs were fed. */
interface Opened {
  readonly engine: typeof Engine
  readonly graph: Graph
  readonly settings: Engine.InferenceSession.SessionOptions
  readonly natives: Map<string, Promise<Engine.InferenceSession>>
}

function nativeFor(
  { engine, settings, natives }: Opened,
  graph: Graph,
  ranks: string,
): Promise<Engine.InferenceSession> {
  const known = natives.get(ranks)
  if (known) return known
  const native = load(engine, graph, settings).catch(error => {
    natives.delete(ranks)
    throw failure('refused the graph', error, graph)
  })
  natives.set(ranks, native)
  return native
}

async function release({ natives, settings }: Opened): Promise<void> {
  for (const native of await Promise.all(natives.values())) {
    if (settings.enableProfiling) native.endProfiling()
    await native.release()
  }
}

async function imported(importEngine: () => Promise<typeof Engine>): Promise<typeof Engine> {
  try {
    return await importEngine()
  } catch (error) {
    throw new SinterError(
      'runtime-missing',
      `onnxruntime-node could not be loaded (${messageOf(error).split('\n', 1)[0]}). ` +
        `Install it with 'npm install onnxruntime-node'; it has CPU libraries for Linux, macOS and Windows.`,
      { package: 'onnxruntime-node', platform: process.platform, arch: process.arch },
      error,
    )
  }
}

function sessionOptions(options: OpenOptions): Engine.InferenceSession.SessionOptions {
  const { threads, graphOptimization = 'all', spinning = false, memoryPattern, profile, optimizedModelPath } = options
  const refuse = (option: keyof OpenOptions, want: string) => {
    throw new SinterError('invalid-argument', `The option ${option} must be ${want}, not ${options[option]}.`, {
      option,
    })
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) refuse('threads', 'a whole number above 0')
  if (!graphOptimizations.includes(graphOptimization)) refuse('graphOptimization', graphOptimizations.join(' | '))
  if (profile === '') refuse('profile', 'the beginning of a path')
  if (optimizedModelPath === '') refuse('optimizedModelPath', 'a path')
  // Absent options are left out: the binding takes `undefined` for a value of the wrong type.
  return {
    graphOptimizationLevel: graphOptimization,
    executionMode: 'sequential',
    interOpNumThreads: 1,
    logSeverityLevel: 4, // What goes wrong is thrown; the engine need not print it as well.
    extra: { session: spinning ? {} : { force_spinning_stop: '1' } },
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(memoryPattern === undefined ? {} : { enableMemPattern: memoryPattern }),
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    ...(optimizedModelPath === undefined ? {} : { optimizedModelFilePath: optimizedModelPath }),
  }
}

function sessionOver(opened: Opened, first: Engine.InferenceSession): Session {
  const { engine, graph } = opened
  const inputs = requiredInputs(graph).map(value => completed('input', value, first.inputMetadata))
  const outputs = graph.outputs.map(value => completed('output', value, first.outputMetadata))
  const outputsByName = new Map(outputs.map(value => [value.name, value]))
  const unranked = unrankedInputs(inputs)
  const checkShapes = feedChecker(graph, inputs)
  const running = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined

  /**
   * The engine refuses wrong ranks when it loads a graph whose inputs state theirs; where they do not, some of its
   * operators end the process instead. So ranks are stated as soon as they are known.
   */
  function ranked(feeds: Feeds): Promise<Engine.InferenceSession> | Engine.InferenceSession {
    if (unranked.length === 0) return first
    const ranks = unranked.map(name => feeds[name]!.shape.length)
    return nativeFor(opened, withRanks(graph, unranked, feeds), ranks.join())
  }

  async function execute(feeds: Feeds, names: readonly string[]): Promise<Results> {
    const fed: Record<string, Engine.Tensor> = {}
    for (const { name } of inputs) fed[name] = toEngine(engine, feeds[name]!)
    try {
      const native = await ranked(feeds)
      const made = await native.run(fed, names as string[])
      return Object.fromEntries(Object.entries(made).map(([name, value]) => [name, fromEngine(value)]))
    } catch (error) {
      throw failure('failed', error, graph)
    }
  }

  async function close(): Promise<void> {
    await Promise.allSettled(running)
    await release(opened)
  }

  return {
    inputs,
    outputs,
    async run(feeds, fetch) {
      if (closing) throw new SinterError('invalid-argument', 'The session is disposed: open the graph again to run it.')
      checkFeeds(inputs, feeds)
      checkShapes(feeds)
      const names = checkFetch(outputsByName, fetch)
      if (names.length === 0) return {}
      const run = execute(feeds, names)
      running.add(run)
      try {
        return await run
      } finally {
        running.delete(run)
      }
    },
    [Symbol.asyncDispose]: () => (closing ??= close()),
  }
}

function checkExchangeable(side: 'input' | 'output', name: string, type: ValueType | undefined): void {
  if (!isTensorType(type) || exchangeable.has(type.dtype)) return
  throw new SinterError(
    'not-supported',
    `The ${side} '${name}' is ${formatType(type)}, which onnxruntime-node cannot hand over. ` +
      `Put a Cast at the ${side} so that it is float32.`,
    { [side]: name, dtype: type.dtype },
  )
}

/** A value with its type, as the engine infers it, where the graph states none. */
function completed(
  side: 'input' | 'output',
  value: Value,
  metadata: readonly Engine.InferenceSession.ValueMetadata[],
): Value {
  const known = metadata.find(({ name }) => name === value.name)
  if (value.type || !known?.isTensor) return value
  // An empty shape stands for rank 0 and for an unknown rank alike.
  const type = { dtype: known.type as DType, shape: known.shape.length > 0 ? known.shape : undefined }
  checkExchangeable(side, value.name, type)
  return { ...value, type }
}

function toEngine(engine: typeof Engine, { dtype, shape, data }: Tensor): Engine.Tensor {
  try {
    return new engine.Tensor(dtype as 'float32', data as Float32Array, shape)
  } catch (error) {
    throw new SinterError('invalid-argument', `A ${dtype} tensor holds another array: ${messageOf(error)}`, {}, error)
  }
}

function fromEngine({ type, dims, data }: Engine.Tensor): Tensor {
  // Node versions that have Float16Array get one; we hold the bits.
  const bits = type === 'float16' && !(data instanceof Uint16Array)
  const { buffer, byteOffset, length } = data as Uint16Array
  return {
    dtype: type,
    shape: dims,
    data: (bits ? new Uint16Array(buffer, byteOffset, length) : data) as Tensor['data'],
  }
}

/** An engine's error as ours, with the node in it if the engine's message names one. */
function failure(what: string, error: unknown, graph: Graph): SinterError {
  if (error instanceof SinterError) return error
  const text = messageOf(error)
  const name = nodeNamed(text)
  const node = name === undefined ? undefined : nodeFinder(graph)(name)
  const place = node ? ` at ${describe(node)}` : ''
  return new SinterError(
    'runtime-failed',
    `onnxruntime ${what}${place}: ${reasonIn(text)}.`,
    { ...(name === undefined ? {} : { node: node?.name ?? name }), engine: text },
    error,
  )
}
