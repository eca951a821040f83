import { describe, expect, test } from 'vitest'
import { classifier } from '../../test/support/classifier.ts'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { randomFeeds, run } from '../../test/support/same-outputs.ts'
import { check } from '../graph/check.ts'
import type { Graph } from '../graph/graph.ts'
import { decode } from '../onnx/decode.ts'
import { encode } from '../onnx/encode.ts'
import { ensemble } from './ensemble.ts'
import { average, majorityVote, methods, weightedAverage } from './methods/index.ts'

const members = [1, 2, 3].map(seed => classifier({ seed }))
const count = (graph: Graph, op: string) => graph.nodes.filter(node => node.op === op).length

test.each(methods)('one graph by $name gives what its members give, combined', async method => {
  const weights = method.weigh?.([0.9, 0.8, 0.95])
  const graph = decode(encode(ensemble(members, method(weights))))
  expect(check(graph)).toEqual([])
  const feeds = randomFeeds(graph, 7, { N: 50 })
  const alone = await Promise.all(members.map(member => run(member, feeds)))
  const expected = method.combine(
    alone.map(results => results.probabilities!.data as Float32Array),
    3,
    weights,
  )
  const { probabilities, label } = await run(graph, feeds)
  expect(probabilities).toMatchObject({ dtype: 'float32', shape: [50, 3] })
  expected.forEach((value, i) => {
    expect((probabilities!.data as Float32Array)[i]).toBeCloseTo(value, 6)
  })
  const labels = Array.from({ length: 50 }, (_, row) => {
    const values = expected.subarray(3 * row, 3 * row + 3)
    return BigInt(values.indexOf(Math.max(...values)))
  })
  expect(label).toEqual({ dtype: 'int64', shape: [50], data: BigInt64Array.from(labels) })
  expect(new Set(labels).size).toBeGreaterThan(1)
})

test('says what goes in and out, and what it is made of', () => {
  const named: Graph[] = members.map(member => ({
    ...member,
    metadata: { classes: '["a","b","c"]', seed: member.name },
  }))
  named[0] = { ...named[0]!, metadata: { seed: 'x' } }
  const graph = ensemble(named, weightedAverage([1, 1, 2]), { names: ['x', 'y', 'z'], name: 'digits' })
  expect(graph.name).toBe('digits')
  expect(graph.inputs).toEqual([{ name: 'image', type: f32('N', 1, 6, 6) }])
  expect(graph.outputs).toEqual([
    { name: 'probabilities', type: f32('N', 3) },
    { name: 'label', type: { dtype: 'int64', shape: ['N'] } },
  ])
  expect(graph.metadata).toEqual({
    classes: '["a","b","c"]',
    'sinter.ensemble': '{"method":"weighted-average","members":["x","y","z"],"weights":[0.25,0.25,0.5]}',
  })
})

describe('what members compute alike', () => {
  test('is computed once: preprocessing, and a trunk of equal weights', () => {
    const apart = ensemble(members, average())
    expect([count(apart, 'Sub'), count(apart, 'Div'), count(apart, 'Conv')]).toEqual([1, 1, 3])
    const trunk = [1, 2, 3].map(seed => classifier({ seed, trunk: 9 }))
    const together = ensemble(trunk, average())
    expect([count(together, 'Conv'), count(together, 'MaxPool'), count(together, 'Gemm')]).toEqual([1, 1, 3])
  })

  test('is not what only looks alike', () => {
    const graph = ensemble([classifier({ seed: 1, mean: 0.5 }), classifier({ seed: 2, mean: 0.4 })], average())
    expect(count(graph, 'Sub')).toBe(2)
  })

  test('leaves one member where all are one', async () => {
    const graph = ensemble([members[0]!, members[0]!], average())
    expect(count(graph, 'Softmax')).toBe(1)
    const feeds = randomFeeds(graph, 1)
    const [alone, both] = [await run(members[0]!, feeds), await run(graph, feeds)]
    expect(both.label).toEqual(alone.label)
  })
})

test('adds few nodes of its own: the cost is the members', () => {
  const own = (graph: Graph) => graph.nodes.length - members.reduce((sum, member) => sum + member.nodes.length - 1, 0)
  expect(own(ensemble(members, average()))).toBeLessThanOrEqual(2 * members.length)
  expect(own(ensemble(members, majorityVote()))).toBeLessThanOrEqual(3 * members.length + 12)
})

test('takes logits on request, and members of other float types', async () => {
  const logits = [1, 2].map(seed => classifier({ seed, output: 'logits' }))
  const graph = ensemble(logits, average(), { output: 'logits' })
  const same = ensemble(members.slice(0, 2), average())
  const feeds = randomFeeds(graph, 5)
  const [a, b] = [await run(graph, feeds), await run(same, feeds)]
  ;(a.probabilities!.data as Float32Array).forEach((value, i) => {
    expect(value).toBeCloseTo((b.probabilities!.data as Float32Array)[i]!, 6)
  })

  const double = makeGraph({ x: { dtype: 'float64', shape: ['N', 3] } }, (op, { x }) => ({
    probabilities: op.Softmax([x], { axis: 1 }),
  }))
  const wide = ensemble([double, double], average())
  expect((await run(wide, randomFeeds(wide, 1))).probabilities!.dtype).toBe('float32')
})

test('fixes weights that callers of a member could override, so that members do not share them by name', async () => {
  const overridable = members.map(member => ({
    ...member,
    inputs: [...member.inputs, { name: 'fc.bias', type: f32(3) }],
  }))
  const graph = ensemble(overridable, average())
  expect(graph.inputs.map(value => value.name)).toEqual(['image'])
  const feeds = randomFeeds(graph, 3)
  expect(await run(graph, feeds)).toEqual(await run(ensemble(members, average()), feeds))
})

test('takes any function that combines', async () => {
  const graph = ensemble(members, (_, [first]) => first!)
  const feeds = randomFeeds(graph, 3)
  expect(await run(graph, feeds)).toEqual(await run(members[0]!, feeds))
})

test('is a classifier that can be a member', () => {
  const graph = ensemble([ensemble(members, average()), members[0]!], average(), { names: ['three', 'one'] })
  expect(check(graph)).toEqual([])
  expect(JSON.parse(graph.metadata['sinter.ensemble']!).members).toEqual(['three', 'one'])
})

describe('refuses, and names', () => {
  const refused = (graphs: readonly Graph[], names: readonly string[]) => () => ensemble(graphs, average(), { names })
  const [one] = members as [Graph]

  test('a member without probabilities', () => {
    const logits = classifier({ seed: 2, output: 'logits' })
    expect(refused([one, logits], ['good', 'raw'])).toThrow(/raw has no output 'probabilities' but logits/)
  })

  test('a member whose output is no distribution over a fixed number of classes', () => {
    const vector = makeGraph({ image: f32('N', 'C') }, (op, { image }) => ({ probabilities: op.Softmax([image]) }))
    expect(refused([one, vector], ['good', 'open'])).toThrow(/'probabilities' of open is float32\[N,C\]/)
  })

  test('members with other classes, by number or by name', () => {
    expect(refused([one, classifier({ seed: 1, classes: 4 })], ['a', 'b'])).toThrow(/a tells 3 classes apart and b 4/)
    const named = (classes: string): Graph => ({ ...one, metadata: { classes } })
    expect(refused([named('["x","y","z"]'), one, named('["y","x","z"]')], ['a', 'b', 'c'])).toThrow(/a has .* but c/)
  })

  test('members with another input', () => {
    expect(refused([one, classifier({ seed: 1, channels: 3 })], ['gray', 'color'])).toThrow(
      /'image' is float32\[N,1,6,6\] in gray but float32\[N,3,6,6\] in color/,
    )
  })

  test('a combine rule that gives something else than probabilities', () => {
    expect(() => ensemble(members, (op, [first]) => op.Concat([first, first], { axis: 1 }))).toThrow(
      /gives float32\[N,6\]; it must give float32\[N,3\]/,
    )
    expect(() => ensemble(members, (op, [first]) => op.ArgMax([first], { axis: 1 }))).toThrow(/gives int64/)
  })

  test('no member, missing names, weights of another number, and an input with the name of an output', () => {
    expect(() => ensemble([], average())).toThrow(/at least one member/)
    expect(refused(members, ['a'])).toThrow(/1 names for 3 members/)
    expect(() => ensemble(members, weightedAverage([1, 2]))).toThrow(/2 weights for 3 members/)
    const odd = makeGraph({ label: f32('N', 3) }, (op, { label }) => ({ probabilities: op.Softmax([label]) }))
    expect(() => ensemble([odd], average())).toThrow(/input 'label'/)
  })
})
