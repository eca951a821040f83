import { messageOf } from '../../src/base/errors.ts'
import type { Random } from '../../src/base/random.ts'
import { formatShape, isFixed, isTensorType, shapeOf } from '../../src/base/shape.ts'
import { numbers, type Tensor } from '../../src/base/tensor.ts'
import { type Graph, requiredInputs } from '../../src/graph/graph.ts'
import { decode } from '../../src/onnx/decode.ts'
import { encode } from '../../src/onnx/encode.ts'
import { check } from '../../src/read/check.ts'
import { infer } from '../../src/read/infer.ts'
import { upgrade } from '../../src/read/upgrade.ts'
import { recorder } from '../../src/rewrite/trace.ts'
import type { Feeds, Results } from '../../src/runtime/backend.ts'
import { onnxruntimeNode } from '../../src/runtime/onnxruntime-node.ts'
import { simplify } from '../../src/simplify/index.ts'
import { randomFeeds } from './same-outputs.ts'

/** How a graph may be written anew, and how closely its outputs must stay the same. */
const ways: readonly { readonly name: string; readonly apply: (graph: Graph) => Graph; readonly precision: number }[] =
  [
    { name: 'encode and decode', apply: graph => decode(encode(graph)), precision: 0 },
    { name: 'upgrade', apply: graph => upgrade(graph).graph, precision: 1e-5 },
    { name: 'simplify', apply: graph => simplified(upgrade(graph).graph), precision: 1e-4 },
  ]

/** @throws Error where a rule tried to build what cannot be. */
function simplified(graph: Graph): Graph {
  const { trace, statistics } = recorder()
  const after = simplify()(graph, trace)
  for (const { rule, failures } of statistics().rules) {
    if (failures.length > 0) throw new Error(`${rule} failed: ${failures.join(' ')}`)
  }
  return after
}

/**
 * Sizes that open dimensions are given in turn. With 1, axes broadcast. Sizes are taken to be at least 1, so with 0 a graph
 * written anew may refuse, but if it runs it must answer the same.
 */
const sizes = [3, 1, 0]

/**
 * What is wrong with how a graph is understood or rewritten: inferred types that its outputs contradict, graphs that are
 * broken or compute something else after they were encoded, upgraded or simplified, whatever sizes it runs with. undefined
 * if nothing is.
 */
export async function wrongWith(graph: Graph): Promise<string | undefined> {
  const [problem] = check(graph)
  if (problem) return `The graph itself: ${problem.message}`
  const runs = await runsOf(graph)
  for (const { results } of runs) {
    const contradiction = contradicted(graph, results)
    if (contradiction) return contradiction
  }
  for (const { name, apply, precision } of ways) {
    const after = apply(graph)
    const [broken] = check(after)
    if (broken) return `After ${name}: ${broken.message}`
    if (`${after.outputs.map(output => output.name)}` !== `${graph.outputs.map(output => output.name)}`)
      return `After ${name} the outputs are ${after.outputs.map(output => output.name)}.`
    if (precision === 0 ? after === graph : after.nodes === graph.nodes) continue
    await using session = await open(after)
    for (const { size, feeds, results } of runs) {
      const actual = await session.run(feeds).catch((error: unknown) => {
        if (size > 0) throw new Error(`After ${name}, with open sizes of ${size}: ${messageOf(error)}`)
      })
      if (!actual) continue
      for (const [output, value] of Object.entries(results)) {
        const difference = differenceOf(actual[output]!, value, precision)
        if (difference) return `After ${name}, with open sizes of ${size}, '${output}': ${difference}`
      }
    }
  }
  return undefined
}

/** What a graph makes of one size for all open dimensions after the other; of those that it does not run with, nothing. */
async function runsOf(graph: Graph): Promise<readonly { size: number; feeds: Feeds; results: Results }[]> {
  const isOpen = requiredInputs(graph).some(({ type }) => !isFixed(shapeOf(type)))
  await using session = await open(graph)
  const runs: { size: number; feeds: Feeds; results: Results }[] = []
  for (const size of isOpen ? sizes : sizes.slice(0, 1)) {
    const feeds = randomFeeds(graph, 1, size, quarter)
    const results = await session.run(feeds).catch((error: unknown) => {
      if (size === sizes[0]) throw error
    })
    if (results) runs.push({ size, feeds, results })
  }
  return runs
}

/** As it is written, without the engine's own rewriting. */
const open = (graph: Graph) => onnxruntimeNode.open(graph, { graphOptimization: 'disabled', threads: 1 })

/** Quarters between -2 and 2, which small sums and products keep exact. */
const quarter = (draw: Random) => (draw.integer(17) - 8) / 4

function contradicted(graph: Graph, outputs: Results): string | undefined {
  const types = infer(graph)
  for (const [name, { dtype, shape }] of Object.entries(outputs)) {
    const type = types.get(name)
    if (!isTensorType(type)) continue
    const fits =
      !type.shape ||
      (type.shape.length === shape.length && type.shape.every((dim, i) => typeof dim === 'string' || dim === shape[i]))
    if (type.dtype !== dtype || !fits)
      return `'${name}' is ${dtype}${formatShape(shape)}, inferred is ${type.dtype}${formatShape(type.shape)}.`
  }
  return undefined
}

function differenceOf(actual: Tensor, expected: Tensor, precision: number): string | undefined {
  if (actual.dtype !== expected.dtype || `${actual.shape}` !== `${expected.shape}`)
    return `${actual.dtype}${formatShape(actual.shape)} instead of ${expected.dtype}${formatShape(expected.shape)}`
  const [a, b] = [numbers(actual), numbers(expected)]
  let scale = 1e-3
  for (let i = 0; i < b.length; i++) if (Number.isFinite(b[i]!)) scale = Math.max(scale, Math.abs(b[i]!))
  for (let i = 0; i < b.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue
    // Where numbers overflow, rounding decides.
    if (precision > 0 && (scale > 1e30 || !Number.isFinite(b[i]!))) continue
    if (!(Math.abs(a[i]! - b[i]!) <= precision * scale)) return `element ${i} is ${a[i]}, not ${b[i]}`
  }
  return undefined
}
