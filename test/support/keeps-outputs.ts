import type { Random } from '../../src/base/random.ts'
import { formatShape, isTensorType } from '../../src/base/shape.ts'
import { numbers, type Tensor } from '../../src/base/tensor.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { decode } from '../../src/onnx/decode.ts'
import { encode } from '../../src/onnx/encode.ts'
import { check } from '../../src/read/check.ts'
import { infer } from '../../src/read/infer.ts'
import { upgrade } from '../../src/read/upgrade.ts'
import type { Results } from '../../src/runtime/backend.ts'
import { simplify } from '../../src/simplify/index.ts'
import { randomFeeds, run } from './same-outputs.ts'

/** How a graph may be written anew, and how closely its outputs must stay the same. */
const ways: readonly { readonly name: string; readonly apply: (graph: Graph) => Graph; readonly precision: number }[] =
  [
    { name: 'encode and decode', apply: graph => decode(encode(graph)), precision: 0 },
    { name: 'upgrade', apply: graph => upgrade(graph).graph, precision: 1e-5 },
    { name: 'simplify', apply: graph => simplify()(upgrade(graph).graph), precision: 1e-4 },
  ]

/**
 * What is wrong with how a graph is understood or rewritten: inferred types that its outputs contradict, graphs that are
 * broken or compute something else after they were encoded, upgraded or simplified. undefined if nothing is.
 */
export async function wrongWith(graph: Graph): Promise<string | undefined> {
  const [problem] = check(graph)
  if (problem) return `The graph itself: ${problem.message}`
  const feeds = randomFeeds(graph, 1, 3, quarter)
  const expected = await run(graph, feeds)
  const contradiction = contradicted(graph, expected)
  if (contradiction) return contradiction
  for (const { name, apply, precision } of ways) {
    const after = apply(graph)
    const [broken] = check(after)
    if (broken) return `After ${name}: ${broken.message}`
    if (`${after.outputs.map(output => output.name)}` !== `${graph.outputs.map(output => output.name)}`)
      return `After ${name} the outputs are ${after.outputs.map(output => output.name)}.`
    if (precision === 0 ? after === graph : after.nodes === graph.nodes) continue
    const actual = await run(after, feeds)
    for (const [output, value] of Object.entries(expected)) {
      const difference = differenceOf(actual[output]!, value, precision)
      if (difference) return `After ${name}, '${output}': ${difference}`
    }
  }
  return undefined
}

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
