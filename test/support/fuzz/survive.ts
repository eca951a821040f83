import { byteLength } from '../../../src/base/dtype.ts'
import { SinterError } from '../../../src/base/errors.ts'
import { type Random, random } from '../../../src/base/random.ts'
import { elementCount, isFixed, isTensorType } from '../../../src/base/shape.ts'
import { fromNumbers, type Tensor, zeros } from '../../../src/base/tensor.ts'
import { check as checkStructure } from '../../../src/graph/check.ts'
import { type Graph, requiredInputs } from '../../../src/graph/graph.ts'
import { print } from '../../../src/graph/print.ts'
import { decode } from '../../../src/onnx/decode.ts'
import { encode } from '../../../src/onnx/encode.ts'
import { isComputable } from '../../../src/ops/elements.ts'
import { assertValid, check } from '../../../src/read/check.ts'
import { cost } from '../../../src/read/cost.ts'
import { couple } from '../../../src/read/coupling.ts'
import { evaluate } from '../../../src/read/evaluate.ts'
import { infer } from '../../../src/read/infer.ts'
import { upgrade } from '../../../src/read/upgrade.ts'
import type { Feeds } from '../../../src/runtime/backend.ts'
import { onnxruntimeNode } from '../../../src/runtime/onnxruntime-node.ts'
import { simplify } from '../../../src/simplify/index.ts'

/** How far a damaged file came: the stages that took it, the one that refused it, what ran in the engine. */
export interface Outcome {
  readonly refused?: { readonly stage: string; readonly code: string }
  readonly opened: boolean
  readonly ran: boolean
}

/** Values of more bytes than this are not computed: a model may ask for them rightly. */
const mostBytes = 2 ** 27

/**
 * Sends a file through everything that Sinter does with one. `at` is told each stage before it begins.
 * @throws whatever is no `SinterError`: that is what is looked for.
 */
export async function survive(bytes: Uint8Array, seed: number, at: (stage: string) => void): Promise<Outcome> {
  let refused: Outcome['refused']
  const stage = <T>(name: string, run: () => T): T | undefined => {
    at(name)
    try {
      return run()
    } catch (error) {
      refused ??= { stage: name, code: assertRefusal(error).code }
      return undefined
    }
  }
  const none = () => ({ ...(refused ? { refused } : {}), opened: false, ran: false })
  const graph = stage('decode', () => decode(bytes))
  if (!graph) return none()
  stage('print', () => print(graph))
  stage('check structure', () => checkStructure(graph))
  stage('check', () => check(graph))
  stage('infer', () => infer(graph))
  stage('infer bound', () => infer(graph, { bind: { '*': 3 } }))
  stage('evaluate', () => evaluate(graph))
  stage('cost', () => cost(graph))
  stage('couple', () => couple(graph))
  stage('encode', () => encode(graph))
  const sound = stage('assert', () => {
    assertValid(graph)
    return graph
  })
  const newer = sound && stage('upgrade', () => upgrade(sound).graph)
  const simplified = newer && stage('simplify', () => simplify()(newer))
  if (simplified) {
    // What was in order stays in order.
    at('check after')
    const [broken] = check(simplified)
    if (broken) throw new Error(`Simplified, it is broken: ${broken.message}`)
    stage('encode after', () => encode(simplified))
  }
  const draw = random(seed)
  // Other files than those which Sinter finds in order must not get to the engine either: it refuses them itself.
  const candidate = draw.integer(3) === 0 ? (simplified ?? graph) : graph
  if (!isSmall(candidate)) return none()
  return { ...(await runs(candidate, draw, at)), ...(refused ? { refused } : {}) }
}

async function runs(graph: Graph, draw: Random, at: (stage: string) => void): Promise<Outcome> {
  at('open')
  let opened = false
  try {
    await using session = await onnxruntimeNode.open(graph, {
      threads: 1,
      graphOptimization: draw.integer(2) === 0 ? 'all' : 'disabled',
    })
    opened = true
    at('feed')
    const feeds = feedsFor(graph, draw)
    if (!feeds) return { opened, ran: false }
    at('run')
    await session.run(feeds)
    return { opened, ran: true }
  } catch (error) {
    const { code } = assertRefusal(error)
    return { opened, ran: false, refused: { stage: opened ? 'run' : 'open', code } }
  }
}

const codes = /^(invalid|not|runtime)-[a-z]+$|^io$/

function assertRefusal(error: unknown): SinterError {
  if (!(error instanceof SinterError)) throw error
  if (!codes.test(error.code) || error.message.length < 10) throw error
  return error
}

/** Whether the values whose sizes are known are small enough to be computed here. */
function isSmall(graph: Graph): boolean {
  try {
    let sum = 0
    for (const type of infer(graph, { bind: { '*': 2 } }).values()) {
      if (isTensorType(type) && isFixed(type.shape)) sum += byteLength(type.dtype, elementCount(type.shape))
    }
    return sum < mostBytes
  } catch {
    return true // The backend must find out by itself.
  }
}

function feedsFor(graph: Graph, draw: Random): Feeds | undefined {
  const feeds: Record<string, Tensor> = {}
  const sizes = new Map<string, number>()
  const sizeOf = (symbol: string) => {
    const known = symbol === '' ? undefined : sizes.get(symbol)
    const size = known ?? [0, 1, 2, 2, 3][draw.integer(5)]!
    sizes.set(symbol, size)
    return size
  }
  for (const { name, type } of requiredInputs(graph)) {
    if (!isTensorType(type)) return undefined
    const shape = (type.shape ?? Array<string>(draw.integer(5)).fill('')).map(dim =>
      typeof dim === 'number' ? dim : sizeOf(dim),
    )
    if (elementCount(shape) > 2 ** 20) return undefined
    if (!isComputable(type.dtype)) feeds[name] = zeros(type.dtype, shape)
    else {
      const values = Float64Array.from({ length: elementCount(shape) }, () => draw.integer(9) - 3)
      feeds[name] = fromNumbers(type.dtype, shape, values)
    }
  }
  return feeds
}
