import { describe, expect, test } from 'vitest'
import { float32s, numbers, scalar, type Tensor } from '../base/tensor.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { extend } from '../read/extend.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { adamW, type Optimizer, scalarNames, sgd } from './optimizers.ts'

/** Runs updates of two numbers whose gradient is what `gradient` makes of them. */
async function descend(optimizer: Optimizer, steps: number, gradient: (p: number) => number, decays = true) {
  const float = (name: string, shape: readonly number[]) => ({ name, type: { dtype: 'float32' as const, shape } })
  const scalars = scalarNames(optimizer)
  const start: Graph = {
    ...emptyGraph('update'),
    inputs: [...['p', 'g', ...optimizer.slots].map(name => float(name, [2])), ...scalars.map(name => float(name, []))],
  }
  const graph = extend(start, (op, draft) => {
    const named = Object.fromEntries(scalars.map(name => [name, name]))
    const next = optimizer.build(op, { parameter: 'p', gradient: 'g', slots: optimizer.slots, scalars: named, decays })
    for (const name of [next.parameter, ...next.slots]) draft.outputs.push({ name, type: op.type(name) })
  })
  await using session = await onnxruntimeNode.open(graph, { threads: 1 })
  let p: Tensor = float32s([2], [1, -2])
  let slots: readonly Tensor[] = optimizer.slots.map(() => float32s([2], [0, 0]))
  for (let i = 1; i <= steps; i++) {
    const values: Readonly<Record<string, number>> = { rate: optimizer.rate, ...optimizer.scalars(i) }
    const results = await session.run({
      p,
      g: float32s([2], Array.from(numbers(p), gradient)),
      ...Object.fromEntries(optimizer.slots.map((name, k) => [name, slots[k]!])),
      ...Object.fromEntries(scalars.map(name => [name, scalar('float32', values[name]!)])),
    })
    const [next, ...kept] = graph.outputs.map(({ name }) => results[name]!)
    ;[p, slots] = [next!, kept]
  }
  return Array.from(numbers(p))
}

/** The textbook's formulas, in float64. */
function reference(start: number, steps: number, update: (p: number, step: number) => number): number {
  let p = start
  for (let i = 1; i <= steps; i++) p = update(p, i)
  return p
}

describe('sgd', () => {
  test('follows the gradient', async () => {
    expect(await descend(sgd({ rate: 0.25, momentum: 0 }), 1, p => 2 * p)).toEqual([0.5, -1])
  })

  test.each([true, false])('gathers momentum (nesterov: %s)', async nesterov => {
    const [rate, momentum, weightDecay] = [0.1, 0.8, 0.05]
    const expected = [1, -2].map(start => {
      let v = 0
      return reference(start, 4, p => {
        const g = 2 * p + weightDecay * p
        v = momentum * v + g
        return p - rate * (nesterov ? g + momentum * v : v)
      })
    })
    const found = await descend(sgd({ rate, momentum, nesterov, weightDecay }), 4, p => 2 * p)
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 5)
  })

  test('decays only what it should', async () => {
    expect(await descend(sgd({ rate: 0.5, momentum: 0, weightDecay: 1 }), 1, () => 0, false)).toEqual([1, -2])
    expect(await descend(sgd({ rate: 0.5, momentum: 0, weightDecay: 1 }), 1, () => 0, true)).toEqual([0.5, -1])
  })
})

test('adamW corrects its averages and decays apart from them', async () => {
  const [rate, beta1, beta2, epsilon, weightDecay] = [0.1, 0.9, 0.99, 1e-6, 0.1]
  const expected = [1, -2].map(start => {
    let [m, v] = [0, 0]
    return reference(start, 5, (p, step) => {
      const g = 2 * p
      m = beta1 * m + (1 - beta1) * g
      v = beta2 * v + (1 - beta2) * g * g
      const direction = m / (1 - beta1 ** step) / (Math.sqrt(v / (1 - beta2 ** step)) + epsilon)
      return p * (1 - rate * weightDecay) - rate * direction
    })
  })
  const found = await descend(adamW({ rate, beta1, beta2, epsilon, weightDecay }), 5, p => 2 * p)
  for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 5)
})

test('options that make no optimizer are refused by name', () => {
  for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => sgd({ rate })).toThrow(/rate must be above 0/)
    expect(() => adamW({ rate })).toThrow(/rate must be above 0/)
  }
  for (const momentum of [-0.1, 1]) expect(() => sgd({ momentum })).toThrow(/momentum/)
  for (const beta of [-0.1, 1, Number.NaN]) {
    expect(() => adamW({ beta1: beta })).toThrow(/beta1/)
    expect(() => adamW({ beta2: beta })).toThrow(/beta2/)
  }
  expect(() => adamW({ epsilon: 0 })).toThrow(/epsilon/)
  expect(() => sgd({ weightDecay: -1 })).toThrow(/weightDecay/)
  expect(() => sgd({ nesterov: true, momentum: 0 })).toThrow(/nesterov needs a momentum/)
})
