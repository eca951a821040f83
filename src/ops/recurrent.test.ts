import { describe, expect, test } from 'vitest'
import { attribute } from '../graph/attributes.ts'
import { node } from '../graph/edit.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { infer } from '../read/infer.ts'

/** 5 steps of 2 examples of 3 numbers, both ways, into 4. */
function gru(opset: number, layout?: number): Graph {
  const x = { dtype: 'float32', shape: layout ? [2, 5, 3] : [5, 2, 3] } as const
  return {
    ...emptyGraph('gru'),
    opset: { '': opset },
    inputs: [
      { name: 'x', type: x },
      { name: 'w', type: { dtype: 'float32', shape: [2, 12, 3] } },
      { name: 'r', type: { dtype: 'float32', shape: [2, 12, 4] } },
    ],
    outputs: [{ name: 'y', type: undefined }],
    nodes: [
      node({
        op: 'GRU',
        inputs: ['x', 'w', 'r'],
        outputs: ['y', 'last'],
        attributes: {
          hidden_size: attribute.int(4),
          direction: attribute.string('bidirectional'),
          ...(layout === undefined ? {} : { layout: attribute.int(layout) }),
        },
      }),
    ],
  }
}

describe('recurrent layers', () => {
  test('have time first, as before opset 14 always, or with layout the batch', () => {
    const shapes = (graph: Graph) => ['y', 'last'].map(name => infer(graph).get(name))
    const timeFirst = [{ shape: [5, 2, 2, 4] }, { shape: [2, 2, 4] }]
    expect(shapes(gru(11))).toMatchObject(timeFirst)
    expect(shapes(gru(21))).toMatchObject(timeFirst)
    expect(shapes(gru(21, 1))).toMatchObject([{ shape: [2, 5, 2, 4] }, { shape: [2, 2, 4] }])
  })
})
