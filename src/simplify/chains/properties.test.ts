import fc from 'fast-check'
import { expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { randomFeeds, run } from '../../../test/support/same-outputs.ts'
import type { Dim } from '../../base/shape.ts'
import { float32s, int64s } from '../../base/tensor.ts'
import { check } from '../../graph/check.ts'
import type { Graph } from '../../graph/graph.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import { rewrite } from '../../rewrite/apply.ts'
import { fixedPoint } from '../../rewrite/pass.ts'
import type { Rule } from '../../rewrite/rule.ts'
import { chains } from './index.ts'
import { layoutOps } from './layout-node.ts'

const all = fixedPoint([rewrite('chains', chains() as readonly Rule[])])

/** Numbers from which a step takes what it needs to decide: axes, sizes, orders. */
const step = fc.record({
  op: fc.constantFrom(
    ...['Transpose', 'Transpose', 'Reshape', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Relu', 'Add', 'Scale'],
    ...[
      'Slice',
      'Slice',
      'Gather',
      'Pick',
      'Concat',
      'Split',
      'Pad',
      'ReduceMax',
      'Softmax',
      'MatMul',
      'Twice',
      'Expand',
    ],
  ),
  a: fc.nat(1000),
  b: fc.nat(1000),
  c: fc.nat(1000),
  output: fc.nat(8).map(n => n === 0),
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** One more value made of those before. */
function apply(op: Ops, values: readonly Ref[], { op: name, a, b, c }: Step): Ref | undefined {
  const x = values[Math.max(0, values.length - 1 - (a % 10 === 9 ? 2 : a % 10 === 8 ? 1 : 0))]!
  const shape = op.type(x).shape!
  const rank = shape.length
  const axis = rank > 0 ? a % rank : 0
  const size = shape[axis]
  const known = typeof size === 'number'
  switch (name) {
    case 'Transpose':
      return op.Transpose([x], { perm: shuffled(rank, b) })
    case 'Reshape':
      return op.Reshape([x, op.ints(regrouped(shape, b, c))])
    case 'Squeeze': {
      const ones = shape.flatMap((one, i) => (one === 1 ? [i] : []))
      return ones.length > 0 ? op.Squeeze([x, op.ints([ones[b % ones.length]! - (c % 2 ? rank : 0)])]) : undefined
    }
    case 'Unsqueeze':
      return rank < 5 ? op.Unsqueeze([x, op.ints([b % (rank + 1)])]) : undefined
    case 'Flatten':
      return op.Flatten([x], { axis: rank > 0 ? b % rank : 0 })
    case 'Relu':
      return op.Relu([x])
    case 'Scale':
      return op.Mul([x, op.scalar(0.5 + (b % 7))])
    case 'Add': {
      const kept = shape.map((one, i) => (typeof one === 'number' && (c >> i) % 2 ? one : 1))
      const count = kept.reduce((m, n) => m * n, 1)
      return op.Add([
        x,
        op.constant(
          float32s(
            kept,
            Array.from({ length: count }, (_, i) => Math.sin(i + b)),
          ),
        ),
      ])
    }
    case 'Slice': {
      if (!known || size < 2) return undefined
      const [from, to] = [b % size, (b % size) + 1 + (c % (size - (b % size)))]
      if (c % 5 === 0)
        return op.Slice([x, op.ints([-1]), op.ints([-(2 ** 31)]), op.ints([axis]), op.ints([-1 - (b % 2)])])
      return op.Slice([x, op.ints([from]), op.ints([to]), op.ints([axis]), c % 3 ? null : op.ints([1 + (b % 2)])])
    }
    case 'Gather':
      if (!known) return undefined
      return op.Gather([x, op.constant(int64s([b % size, c % size, (b + 1) % size].slice(0, 1 + (b % 3))))], { axis })
    case 'Pick':
      return known && rank > 1 ? op.Gather([x, op.scalar(b % size, 'int64')], { axis }) : undefined
    case 'Concat': {
      const y = values[b % values.length]!
      const other = op.type(y).shape!
      const fits = rank > 0 && other.length === rank && other.every((one, i) => i === axis || one === shape[i])
      return fits && known && typeof other[axis] === 'number'
        ? op.Concat([x, y, x].slice(0, 2 + (c % 2)), { axis })
        : undefined
    }
    case 'Split': {
      if (!known || size < 2) return undefined
      const first = 1 + (b % (size - 1))
      const parts = op.many('Split', 2, [x, op.ints([first, size - first])], { axis })
      return c % 3 === 0 ? op.Concat([parts[0], parts[1]], { axis }) : parts[c % 2]!
    }
    case 'Pad':
      return rank > 0
        ? op.Pad([x, op.ints(Array.from({ length: 2 * rank }, (_, i) => ((b >> i) % 4 === 3 ? 1 : 0)))])
        : undefined
    case 'ReduceMax':
      return rank > 1 ? op.ReduceMax([x, op.ints([axis])], { keepdims: b % 2 }) : undefined
    case 'Softmax':
      return rank > 0 ? op.Softmax([x], { axis }) : undefined
    case 'MatMul': {
      const last = shape.at(-1)
      if (rank < 2 || typeof last !== 'number' || last > 12) return undefined
      const width = 1 + (b % 3)
      return op.MatMul([
        x,
        op.constant(
          float32s(
            [last, width],
            Array.from({ length: last * width }, (_, i) => Math.cos(i)),
          ),
        ),
      ])
    }
    case 'Twice': {
      const perm = shuffled(rank, b)
      return op.Add([op.Transpose([op.Neg([x])], { perm }), op.Transpose([op.Exp([op.Neg([op.Abs([x])])])], { perm })])
    }
    default:
      return rank > 0 ? op.Expand([x, op.ints(shape.map((one, i) => (one === 1 && (b >> i) % 2 ? 2 : 1)))]) : undefined
  }
}

function shuffled(rank: number, seed: number): number[] {
  const rest = Array.from({ length: rank }, (_, i) => i)
  return Array.from({ length: rank }, (_, i) => rest.splice((seed >> i) % rest.length, 1)[0]!)
}

/** A target that keeps the elements: merges neighbours, or splits one size in two; a symbol stays where it is. */
function regrouped(shape: readonly Dim[], b: number, c: number): number[] {
  const target = shape.map(one => (typeof one === 'number' ? one : 0))
  const at = b % Math.max(1, target.length)
  const [one, next] = [target[at], target[at + 1]]
  // What stands behind a change of rank is no longer at its own place, where 0 would copy it.
  if (target.slice(at).includes(0)) return target
  if (c % 2 === 0 && one && next) return target.toSpliced(at, 2, c % 4 === 0 && !target.includes(0) ? -1 : one * next)
  const divisor = [2, 3, 5].find(n => one && one % n === 0)
  if (one && divisor) return target.toSpliced(at, 1, divisor, one / divisor)
  return target
}

function graphOf(first: readonly Dim[], list: readonly Step[]): Graph {
  return makeGraph({ x: f32(...first) }, (op, { x }) => {
    const values = [x]
    const outputs: Record<string, string> = {}
    for (const [i, one] of list.entries()) {
      const made = apply(op, values, one)
      const count = made && op.type(made).shape!.reduce<number>((n, d) => n * (typeof d === 'number' ? d : 5), 1)
      if (made === undefined || Number(count) > 6000) continue
      values.push(made)
      if (one.output) outputs[`out${i}`] = made
    }
    return { ...outputs, last: op.Identity([values.at(-1)!]) }
  })
}

const shapes = fc.constantFrom<readonly Dim[]>(
  [2, 3, 4],
  [1, 6, 1, 4],
  ['N', 4, 6],
  ['N', 'T', 6],
  [4, 'N', 1, 2],
  [12],
)

test('chains of data movement keep their outputs, whatever stands in them, for every size of a symbol', async () => {
  let changed = 0
  await fc.assert(
    fc.asyncProperty(shapes, fc.array(step, { minLength: 4, maxLength: 16, size: 'max' }), async (first, list) => {
      const graph = graphOf(first, list)
      const after = all(graph)
      if (after !== graph) changed++
      expect(check(after)).toEqual([])
      expect(after.nodes.length).toBeLessThanOrEqual(graph.nodes.length)
      expect(after.outputs).toEqual(graph.outputs)
      for (const N of [2, 1, 5]) {
        const feeds = randomFeeds(graph, 1, { N, T: 3 })
        const [expected, actual] = [await run(graph, feeds), await run(after, feeds)]
        for (const [name, { shape, data }] of Object.entries(expected)) {
          expect(actual[name]!.shape).toEqual(shape)
          for (const [i, value] of (data as Float32Array).entries()) {
            expect(actual[name]!.data[i] as number).toBeCloseTo(value, 4)
          }
        }
      }
    }),
    { numRuns: 120, seed: 7 },
  )
  expect(changed).toBeGreaterThan(60)
})

// Powers of two can always be split where a size asks for it; 6 and 4 as 4 and 6 cannot.
test('a chain of nothing but layout nodes comes down to three nodes at most, with one Transpose', async () => {
  const only = step.filter(({ op }) => (layoutOps as readonly string[]).includes(op))
  await fc.assert(
    fc.asyncProperty(fc.array(only, { minLength: 3, maxLength: 12, size: 'max' }), async list => {
      const inOrder = list.map(one => ({ ...one, a: one.a - (one.a % 10), output: false }))
      const graph = graphOf([4, 1, 8, 2], inOrder)
      const after = all(graph)
      const chain = after.nodes.filter(({ op }) => op !== 'Identity')
      expect(chain.length).toBeLessThanOrEqual(3)
      expect(chain.filter(({ op }) => op === 'Transpose').length).toBeLessThanOrEqual(1)
      const feeds = randomFeeds(graph, 1)
      expect(await run(after, feeds)).toEqual(await run(graph, feeds))
    }),
    { numRuns: 100, seed: 3 },
  )
})
