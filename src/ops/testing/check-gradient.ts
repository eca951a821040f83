import { isFloat } from '../../base/dtype.ts'
import { SinterError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { elementCount, isTensorType } from '../../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../../base/tensor.ts'
import { edit } from '../../graph/edit.ts'
import type { Graph } from '../../graph/graph.ts'
import { builder, type Ref } from '../build.ts'
import { callOf, inferNode } from '../call.ts'
import { broadcastSources } from '../elements.ts'
import type { GradientRule, Operator } from '../operator.ts'
import type { OpName } from '../spec.ts'
import { type OneNode, oneNode, type Sample, scopeOver } from './sample.ts'

type Run = (graph: Graph, feeds: Readonly<Record<string, Tensor>>) => Promise<Readonly<Record<string, Tensor>>>

/** A gradient computed in two ways. */
export interface ComparedGradient {
  /** Which input, outputs and formulation. */
  readonly what: string
  readonly analytic: ArrayLike<number>
  readonly numeric: ArrayLike<number>
  /** How far apart they may be, relative to the largest. */
  readonly tolerance: number
}

interface Variant {
  readonly what: string
  /** Outputs that have a gradient. */
  readonly live: readonly boolean[]
  readonly needs: readonly boolean[]
  /** The formulation to take, by label. */
  readonly forms: Readonly<Record<string, string>>
}

/**
 * Compares the gradient rule of a record, in each of its formulations and with each part of its inputs and outputs left
 * out, with central differences of <dy, y(x)> through onnxruntime; in float64 wherever onnxruntime has the kernels.
 */
export async function compareGradients(
  record: Operator,
  sample: Sample,
  stream: Random,
  run: Run,
): Promise<ComparedGradient[]> {
  const rule = record.gradient as GradientRule<OpName>
  const single = oneNode(record, sample, stream)
  const forward = await inBestPrecision(run, record, sample, stream)
  const doubled = forward.one.graph.inputs.some(({ type }) => isTensorType(type) && type.dtype === 'float64')
  const places = sample.inputs.flatMap((input, i) => {
    const t = forward.one.inputs[i]
    return input && !('data' in input) && t && isFloat(t.dtype) ? [i] : []
  })
  const outputs = forward.one.node.outputs.map(name => forward.results[name]!)
  const dy = outputs.map((y, i) => (isFloat(y.dtype) ? drawLike(y, stream.fork(`dy${i}`)) : undefined))
  if (dy.every(d => d === undefined)) return []
  const differences = await centralDifferences(run, forward.one, places, dy, doubled ? 1e-6 : 1e-2)
  const compared: ComparedGradient[] = []
  for (const variant of variantsOf(rule, single, places, dy)) {
    for (const float of ['float64', 'float32'] as const) {
      const gradients = await runRule(run, rule, variant, oneNode(record, sample, stream, { float }), dy)
      // Rules may use operators that have no float64 kernel; in float32 they must work.
      if (!gradients && float === 'float64') continue
      for (const i of places.filter(place => variant.needs[place])) {
        const parts = differences.get(i)!.filter((_, j) => variant.live[j])
        const numeric = Array.from(parts[0]!, (_, k) => parts.reduce((sum, of) => sum + of[k]!, 0))
        const analytic = gradients?.get(i) ?? numeric.map(() => 0)
        const tolerance = doubled ? (float === 'float64' ? 1e-6 : 1e-4) : 2e-2
        compared.push({ what: `input ${i}, ${variant.what}, in ${float}`, analytic, numeric, tolerance })
      }
    }
  }
  return compared
}

async function inBestPrecision(run: Run, record: Operator, sample: Sample, stream: Random) {
  const wide = oneNode(record, sample, stream, { float: 'float64' })
  try {
    const results = await run(wide.graph, wide.feeds)
    // A cast to float32 inside would leave nothing of small differences.
    if (Object.values(results).every(({ dtype }) => !isFloat(dtype) || dtype === 'float64'))
      return { one: wide, results }
  } catch (error) {
    if (!(error instanceof SinterError)) throw error
  }
  const one = oneNode(record, sample, stream)
  return { one, results: await run(one.graph, one.feeds) }
}

function drawLike(y: Tensor, stream: Random): Tensor {
  return fromNumbers(
    y.dtype,
    y.shape,
    Array.from({ length: elementCount(y.shape) }, () => 2 * stream.uniform() - 1),
  )
}

/** By input: for each output, the derivative of <dy, y> by every element. */
async function centralDifferences(
  run: Run,
  one: OneNode,
  places: readonly number[],
  dy: readonly (Tensor | undefined)[],
  step: number,
) {
  const differences = new Map<number, number[][]>()
  for (const place of places) {
    const name = one.node.inputs[place]!
    const x = one.feeds[name]!
    const values = numbers(x)
    const rows = dy.map((): number[] => [])
    for (let k = 0; k < values.length; k++) {
      const ends: number[][] = []
      for (const sign of [1, -1]) {
        const moved = fromNumbers(
          x.dtype,
          x.shape,
          Array.from(values, (v, i) => (i === k ? v + sign * step : v)),
        )
        const results = await run(one.graph, { ...one.feeds, [name]: moved })
        ends.push(one.node.outputs.map((y, j) => (dy[j] ? dot(numbers(dy[j]), numbers(results[y]!)) : 0)))
      }
      for (const [j, row] of rows.entries()) row.push((ends[0]![j]! - ends[1]![j]!) / (2 * step))
    }
    differences.set(place, rows)
  }
  return differences
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** Every formulation with everything wanted; then each input alone, and each output alone. */
function variantsOf(
  rule: GradientRule<OpName>,
  one: OneNode,
  places: readonly number[],
  dy: readonly (Tensor | undefined)[],
): Variant[] {
  const all = one.node.inputs.map((_, i) => places.includes(i))
  const live = dy.map(d => d !== undefined)
  const labels = new Map<string, readonly string[]>()
  apply(rule, one, { what: '', live, needs: all, forms: {} }, dy, labels)
  const variants: Variant[] = [{ what: 'everything', live, needs: all, forms: {} }]
  for (const [label, names] of labels) {
    for (const name of names.slice(1))
      variants.push({ what: `${label} as ${name}`, live, needs: all, forms: { [label]: name } })
  }
  const alone = (flags: readonly boolean[], i: number) => flags.map((_, k) => k === i)
  if (places.length > 1) {
    for (const i of places) variants.push({ what: 'wanted alone', live, needs: alone(all, i), forms: {} })
  }
  const flowing = live.flatMap((is, j) => (is ? [j] : []))
  if (flowing.length > 1) {
    for (const j of flowing)
      variants.push({ what: `of output ${j} alone`, live: alone(live, j), needs: all, forms: {} })
  }
  return variants
}

/** The graph of the node and its gradient rule, with the gradients as outputs. */
function apply(
  rule: GradientRule<OpName>,
  { graph, node, scope }: OneNode,
  { live, needs, forms }: Variant,
  dy: readonly (Tensor | undefined)[],
  labels?: Map<string, readonly string[]>,
) {
  const refs = new Map<number, Ref>()
  const types = new Map(inferNode(node, scope).flatMap((type, i) => (type ? [[node.outputs[i]!, type] as const] : [])))
  const around = scopeOver(graph, types)
  const graphWithGradients = edit(graph, draft => {
    draft.outputs.length = 0
    const gradientNames = dy.map((d, j) => {
      if (!d || !live[j]) return undefined
      const name = `dy${j}`
      const type = types.get(node.outputs[j]!)
      draft.inputs.push({ name, type: isTensorType(type) ? { dtype: type.dtype, shape: d.shape } : type })
      return name
    })
    const inputs = new Map(draft.inputs.map(({ name, type }) => [name, type]))
    const op = builder(draft, { ...around, type: name => around.type(name) ?? inputs.get(name) })
    const gradients = rule({
      node,
      attributes: callOf(node, scope).attributes,
      op,
      x: node.inputs,
      y: node.outputs,
      dy: gradientNames,
      needs,
      constant: i => (node.inputs[i] ? graph.initializers.get(node.inputs[i]) : undefined),
      choose(label, candidates) {
        labels?.set(label, Object.keys(candidates))
        return (candidates[forms[label] ?? ''] ?? Object.values(candidates)[0]!)()
      },
    })
    gradients.forEach((ref, i) => {
      if (!ref || !needs[i]) return
      const name = draft.fresh(`gradient${i}`)
      draft.add({ op: 'Identity', inputs: [ref], outputs: [name] })
      draft.outputs.push({ name, type: undefined })
      refs.set(i, name)
    })
  })
  return { graph: graphWithGradients, refs }
}

/** The gradients by input; undefined where onnxruntime refuses float64. */
async function runRule(
  run: Run,
  rule: GradientRule<OpName>,
  variant: Variant,
  one: OneNode,
  dy: readonly (Tensor | undefined)[],
): Promise<Map<number, number[]> | undefined> {
  const { graph, refs } = apply(rule, one, variant, dy)
  const feeds: Record<string, Tensor> = { ...one.feeds }
  for (const { name, type } of graph.inputs) {
    const d = name.startsWith('dy') ? dy[Number(name.slice(2))] : undefined
    if (d && isTensorType(type)) feeds[name] = fromNumbers(type.dtype, d.shape, numbers(d))
  }
  try {
    const results = await run(graph, feeds)
    return new Map([...refs].map(([i, name]) => [i, summedTo(results[name]!, one.inputs[i]!.shape)]))
  } catch (error) {
    const doubled = graph.inputs.some(({ type }) => isTensorType(type) && type.dtype === 'float64')
    if (doubled && error instanceof SinterError) return undefined
    throw error
  }
}

/** What the gradient driver does: sums over the axes that were broadcast, or repeats what is not yet spread out. */
function summedTo(gradient: Tensor, shape: readonly number[]): number[] {
  const values = numbers(gradient)
  const lead = gradient.shape.length - shape.length
  const wide = lead < 0 ? shape : gradient.shape.map((size, axis) => Math.max(size, shape[axis - lead] ?? 1))
  const [from, to] = [broadcastSources(wide, gradient.shape), broadcastSources(wide, shape)]
  const sums = new Array<number>(elementCount(shape)).fill(0)
  from.forEach((source, i) => {
    sums[to[i]!]! += values[source]!
  })
  return sums
}
