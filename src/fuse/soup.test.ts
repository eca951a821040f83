import { expect, test } from 'vitest'
import { classifier } from '../../test/support/classifier.ts'
import { randomFeeds, run } from '../../test/support/same-outputs.ts'
import { float32s, fromNumbers, numbers } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { soup } from './soup.ts'

const [a, b] = [1, 2].map(seed => classifier({ seed })) as [Graph, Graph]
const weight = (graph: Graph, name: string) => Array.from(numbers(graph.initializers.get(name)!))

test('each weight is the mean of the members', () => {
  const mixed = soup([a, b])
  for (const name of ['conv.weight', 'fc.weight', 'fc.bias']) {
    const [x, y] = [weight(a, name), weight(b, name)]
    expect(weight(mixed, name)).toEqual(x.map((value, i) => Math.fround((value + y[i]!) / 2)))
  }
  const tilted = weight(soup([a, b], { weights: [3, 1] }), 'fc.bias')
  tilted.forEach((value, i) => {
    expect(value).toBeCloseTo(0.75 * weight(a, 'fc.bias')[i]! + 0.25 * weight(b, 'fc.bias')[i]!, 6)
  })
})

test('costs what one member costs, and of equal members is that member', async () => {
  const same = soup([a, a, a])
  expect(same.nodes).toBe(a.nodes)
  expect([...same.initializers]).toEqual([...a.initializers])
  const feeds = randomFeeds(a, 1)
  expect(await run(same, feeds)).toEqual(await run(a, feeds))
})

test('members of another architecture are refused, with the place', () => {
  const replaced = (name: string, value: Parameters<typeof fromNumbers>): Graph => ({
    ...a,
    initializers: new Map([...a.initializers, [name, fromNumbers(...value)]]),
  })
  const mix = (other: Graph) => () => soup([a, other], { names: ['first', 'second'] })
  expect(mix(classifier({ seed: 1, output: 'logits' }))).toThrow(
    /second is not of the same architecture as first: it has/,
  )
  expect(mix(classifier({ seed: 1, classes: 4 }))).toThrow(/'fc.weight' is float32\[4,32\], not float32\[3,32\]/)
  expect(mix(replaced('fc.bias', ['float64', [3], [1, 2, 3]]))).toThrow(/'fc.bias' is float64/)
  const nodes = a.nodes.map(node => (node.op === 'Gemm' ? { ...node, attributes: {} } : node))
  expect(mix({ ...a, nodes })).toThrow(/attributes of Gemm/)
  expect(() => soup([])).toThrow(/at least one member/)
  expect(() => soup([a, b], { weights: [1] })).toThrow(/1 weights for 2 members/)
})

test('weights that are not numbers to average must be equal', () => {
  const withShape = (size: number): Graph => ({
    ...a,
    initializers: new Map([
      ...a.initializers,
      ['shape', fromNumbers('int64', [1], [size])],
      ['extra', float32s([1], [size])],
    ]),
  })
  expect(() => soup([withShape(1), withShape(2)])).toThrow(/'shape' holds other int64 numbers/)
  expect(weight(soup([withShape(1), withShape(1)]), 'shape')).toEqual([1])
})
