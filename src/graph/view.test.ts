import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scalar } from '../base/tensor.ts'
import { node } from './edit.ts'
import { emptyGraph, type Graph, type Node } from './graph.ts'
import { reachable, sortNodes, view } from './view.ts'

const add = (output: string, ...inputs: readonly string[]): Node =>
  node({ op: 'Sum', name: output, inputs, outputs: [output] })

const graph: Graph = {
  ...emptyGraph('g'),
  inputs: [{ name: 'x', type: undefined }],
  outputs: [{ name: 'c', type: undefined }],
  initializers: new Map([['w', scalar('float32', 1)]]),
  nodes: [add('a', 'x', 'x'), add('b', 'a', 'w'), add('c', 'a', 'b'), add('d', 'x')],
}

describe('a view', () => {
  const { producer, consumers, isInput, isOutput, defines } = view(graph)

  test('is made once for a body', () => {
    expect(view(graph)).toBe(view(graph))
  })

  test('knows who makes and who reads a value, each reader once', () => {
    expect(producer('b')?.name).toBe('b')
    expect([producer('x'), producer('w')]).toEqual([undefined, undefined])
    expect(consumers('x').map(({ name }) => name)).toEqual(['a', 'd'])
    expect(consumers('a').map(({ name }) => name)).toEqual(['b', 'c'])
    expect(consumers('c')).toEqual([])
  })

  test('knows inputs, outputs and what is defined', () => {
    expect([isInput('x'), isInput('w'), isOutput('c'), isOutput('d')]).toEqual([true, false, true, false])
    expect(['x', 'w', 'a', 'outside'].map(defines)).toEqual([true, true, true, false])
  })
})

test('reachable goes back from values to all that they need', () => {
  expect([...reachable(graph, ['b'])].sort()).toEqual(['a', 'b', 'w', 'x'])
})

describe('sortNodes', () => {
  /** Nodes 0..n-1, each reading some before it. */
  const dags = fc
    .array(fc.array(fc.nat(1000), { maxLength: 3 }), { minLength: 1, maxLength: 20 })
    .map(all => all.map((reads, i) => add(`${i}`, ...(i === 0 ? ['x'] : reads.map(r => `${r % i}`)))))

  test('puts every value before its readers, whatever order comes in', () => {
    fc.assert(
      fc.property(
        dags.chain(nodes => fc.tuple(fc.constant(nodes), fc.shuffledSubarray(nodes, { minLength: nodes.length }))),
        ([nodes, shuffled]) => {
          const sorted = sortNodes(shuffled)
          expect(new Set(sorted)).toEqual(new Set(nodes))
          const place = new Map(sorted.map((one, i) => [one.outputs[0]!, i]))
          for (const [i, one] of sorted.entries())
            for (const name of one.inputs) if (place.has(name)) expect(place.get(name)).toBeLessThan(i)
          expect(sortNodes(nodes)).toEqual(nodes)
        },
      ),
      { seed: 1 },
    )
  })

  test('takes chains deeper than the call stack', () => {
    const long = Array.from({ length: 20_000 }, (_, i) => add(`${i}`, `${i - 1}`)).reverse()
    expect(sortNodes(long)[0]!.name).toBe('0')
  })

  test('refuses a cycle and names a value on it', () => {
    expect(() => sortNodes([add('a', 'b'), add('b', 'a')])).toThrow(/cycle through the value '[ab]'/)
  })
})
