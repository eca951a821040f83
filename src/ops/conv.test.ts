import { describe, expect, test } from 'vitest'
import { node } from '../graph/edit.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { eachPair } from '../read/index-map.ts'
import { infer } from '../read/infer.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { conv, convTranspose } from './conv.ts'
import { conform } from './testing/conform.ts'
import type { Sample } from './testing/sample.ts'

const bench = { backend: onnxruntimeNode, eachPair }

function sample(name: string, attributes: Sample['attributes'], ...shapes: readonly number[][]): Sample {
  return { name, attributes: attributes ?? {}, inputs: shapes.map(shape => ({ shape })) }
}

conform(
  conv,
  [
    sample('with a bias', { pads: [1, 1, 1, 1] }, [2, 3, 4, 5], [4, 3, 3, 3], [4]),
    sample('without a bias', {}, [2, 3, 4, 5], [4, 3, 3, 2]),
    sample('more channels than are transposed by a product', { pads: [1, 0, 1, 1] }, [1, 18, 3, 4], [2, 18, 3, 2]),
    sample('padding as wide as the kernel', { pads: [3, 3, 3, 3] }, [1, 2, 3, 3], [3, 2, 3, 3], [3]),
    sample('uneven padding', { pads: [2, 0, 0, 1] }, [1, 2, 4, 5], [3, 2, 3, 3]),
    sample('strides that fit', { pads: [1, 1, 1, 1], strides: [2, 2] }, [1, 2, 5, 5], [3, 2, 3, 3], [3]),
    sample('strides that leave some over', { pads: [1, 1, 1, 1], strides: [2, 2] }, [1, 2, 4, 6], [3, 2, 3, 3], [3]),
    sample('strides that leave more over than is padded', { strides: [3, 4] }, [1, 2, 7, 9], [3, 2, 2, 2]),
    sample('dilations', { pads: [2, 1, 1, 2], dilations: [2, 3] }, [1, 2, 6, 7], [3, 2, 3, 2]),
    sample(
      'dilations and strides',
      { pads: [2, 1, 1, 2], dilations: [2, 3], strides: [2, 3] },
      [1, 2, 6, 8],
      [3, 2, 3, 2],
    ),
    sample('same, upper', { auto_pad: 'SAME_UPPER', strides: [2, 2] }, [1, 2, 5, 6], [3, 2, 3, 3]),
    sample('same, lower', { auto_pad: 'SAME_LOWER', strides: [2, 1] }, [1, 2, 5, 6], [3, 2, 3, 4]),
    sample('valid', { auto_pad: 'VALID' }, [1, 2, 5, 6], [3, 2, 3, 4]),
    sample('groups', { group: 2, pads: [1, 0, 2, 1] }, [2, 4, 4, 5], [6, 2, 3, 2], [6]),
    sample('depthwise', { group: 4, pads: [1, 1, 1, 1] }, [2, 4, 4, 5], [4, 1, 3, 3], [4]),
    sample(
      'depthwise, of two outputs each',
      { group: 3, pads: [1, 1, 1, 1], strides: [2, 2] },
      [1, 3, 5, 4],
      [6, 1, 3, 3],
    ),
    sample('depthwise, rows longer than columns', { group: 2, pads: [0, 2, 1, 2] }, [2, 2, 3, 6], [2, 1, 2, 5]),
    sample(
      'depthwise, every other position',
      { group: 2, pads: [1, 1, 1, 1], strides: [2, 2] },
      [2, 2, 4, 6],
      [2, 1, 3, 3],
      [2],
    ),
    sample('depthwise, large', { group: 1, pads: [1, 1, 1, 1], strides: [1, 1] }, [1, 1, 13, 13], [1, 1, 3, 3]),
    sample('pointwise', {}, [2, 3, 3, 4], [4, 3, 1, 1], [4]),
    sample('pointwise, more weights than positions', {}, [1, 6, 1, 2], [7, 6, 1, 1]),
    sample('pointwise with strides', { strides: [2, 3] }, [2, 3, 5, 5], [4, 3, 1, 1], [4]),
    sample('pointwise in groups', { group: 2, strides: [2, 2] }, [1, 4, 4, 4], [6, 2, 1, 1]),
    sample('pointwise with padding', { pads: [1, 0, 0, 1] }, [1, 3, 3, 3], [2, 3, 1, 1]),
    sample('one dimension', { pads: [1, 1] }, [2, 3, 6], [4, 3, 3], [4]),
    sample('one dimension, all at once', { pads: [2, 0], strides: [2], dilations: [2] }, [2, 3, 8], [2, 3, 3]),
    sample('one dimension in groups', { pads: [2, 0], strides: [2], group: 2 }, [2, 4, 7], [4, 2, 3]),
    sample('three dimensions', { pads: [1, 0, 1, 1, 1, 0], strides: [2, 1, 2] }, [1, 2, 3, 4, 3], [2, 2, 3, 2, 2], [2]),
  ],
  bench,
)

conform(
  convTranspose,
  [
    sample('with a bias', {}, [2, 3, 3, 4], [3, 2, 3, 3], [2]),
    sample('strides', { strides: [2, 3], pads: [1, 0, 1, 2] }, [1, 3, 3, 4], [3, 2, 3, 3]),
    sample(
      'output padding',
      { strides: [2, 2], output_padding: [1, 0], pads: [1, 1, 1, 1] },
      [1, 2, 3, 3],
      [2, 3, 3, 3],
      [3],
    ),
    sample('dilations', { dilations: [2, 3], pads: [1, 2, 0, 1] }, [1, 2, 3, 4], [2, 3, 3, 2]),
    sample('groups', { group: 2, strides: [2, 2] }, [1, 4, 3, 3], [4, 3, 2, 3], [6]),
    sample('depthwise', { group: 4, strides: [2, 2], pads: [1, 1, 1, 1] }, [1, 4, 3, 3], [4, 1, 3, 3], [4]),
    sample('depthwise, of two outputs each', { group: 3 }, [1, 3, 3, 3], [3, 2, 2, 2]),
    sample('same, upper', { auto_pad: 'SAME_UPPER', strides: [2, 2] }, [1, 2, 3, 4], [2, 3, 3, 3]),
    sample('same, lower', { auto_pad: 'SAME_LOWER', strides: [2, 2] }, [1, 2, 3, 4], [2, 3, 3, 4]),
    sample(
      'same, with steps beyond the kernel',
      { auto_pad: 'SAME_LOWER', strides: [3, 2] },
      [1, 2, 3, 4],
      [2, 3, 1, 4],
    ),
    sample('valid', { auto_pad: 'VALID' }, [1, 2, 3, 4], [2, 3, 3, 4]),
    sample('a stated output', { output_shape: [6, 8], strides: [2, 2] }, [1, 2, 3, 4], [2, 3, 3, 3]),
    sample('a stated output, padded unevenly', { output_shape: [6, 7], strides: [2, 2] }, [1, 2, 3, 4], [2, 3, 2, 2]),
    sample('pointwise with strides', { strides: [2, 2] }, [1, 2, 3, 4], [2, 3, 1, 1], [3]),
    sample('one dimension', { pads: [1, 0], strides: [2] }, [2, 3, 5], [3, 4, 3], [4]),
    sample('three dimensions', { strides: [1, 2, 1] }, [1, 2, 2, 2, 3], [2, 2, 2, 2, 2]),
  ],
  bench,
)

describe('a convolution is refused', () => {
  const graph = (op: string, group: number, x: readonly number[], w: readonly number[]): Graph => ({
    ...emptyGraph('groups'),
    inputs: [
      { name: 'x', type: { dtype: 'float32', shape: x } },
      { name: 'w', type: { dtype: 'float32', shape: w } },
    ],
    nodes: [node({ op, inputs: ['x', 'w'], outputs: ['y'], attributes: { group: { type: 'int', value: group } } })],
    outputs: [{ name: 'y', type: undefined }],
  })

  // onnxruntime divides by the number of groups: these end its process.
  test.each([
    ['Conv', 0, [1, 0, 5, 5], [2, 0, 3, 3]],
    ['ConvTranspose', 0, [1, 2, 5, 5], [2, 1, 3, 3]],
    ['Conv', 2, [1, 4, 5, 5], [3, 2, 3, 3]],
    ['ConvTranspose', 1, [1, 4, 5, 5], [3, 2, 3, 3]],
  ])('%s in %i groups of channels that do not fit', (op, group, x, w) => {
    expect(() => infer(graph(op, group, x, w))).toThrow(expect.objectContaining({ code: 'invalid-graph' }))
  })
})
