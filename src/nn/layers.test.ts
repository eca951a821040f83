import { describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { elementCount, isTensorType } from '../base/shape.ts'
import { float32s, int64s, reshape, type Tensor } from '../base/tensor.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { define } from './define.ts'
import { constant, type Initializer, zeros } from './initializers.ts'
import type { Layer, Layers } from './layers.ts'

/** Applies a layer to a tensor whose first dimension is the batch, and checks that the output's type is as inferred. */
async function apply(x: Tensor, make: (nn: Layers) => Layer): Promise<Tensor> {
  const type = { dtype: x.dtype, shape: ['N', ...x.shape.slice(1)] }
  const graph = define({ x: type }, (refs, nn) => ({ y: make(nn)(refs.x) }), { seed: 3 })
  await using session = await onnxruntimeNode.open(graph)
  const y = (await session.run({ x })).y!
  const inferred = graph.outputs[0]!.type
  expect(isTensorType(inferred) && inferred.shape?.map(dim => (dim === 'N' ? x.shape[0] : dim))).toEqual(y.shape)
  return y
}

/** 0, 1, 2, ... in a shape. */
function counting(...shape: number[]): Tensor<'float32'> {
  return float32s(
    shape,
    Float32Array.from({ length: elementCount(shape) }, (_, i) => i),
  )
}

function drawn(...shape: number[]): Tensor<'float32'> {
  const { normal } = random(5)
  return float32s(shape, Float32Array.from({ length: elementCount(shape) }, normal))
}

const listed = (t: Tensor) => Array.from(t.data as Float32Array)
const ramp: Initializer = shape => Float32Array.from({ length: elementCount(shape) }, (_, i) => i)

describe('convolution', () => {
  test('sums what its kernel sees, and adds the bias', async () => {
    const y = await apply(counting(1, 1, 3, 3), nn => nn.conv(1, 2, { padding: 0, weight: ramp, bias: constant(100) }))
    expect(y).toEqual(
      float32s([1, 1, 2, 2], [100 + 1 + 6 + 12, 100 + 2 + 8 + 15, 100 + 4 + 12 + 21, 100 + 5 + 14 + 24]),
    )
  })

  const shapes: readonly (readonly [string, number[], (nn: Layers) => Layer, number[]])[] = [
    ['keeps the size by default', [2, 3, 7, 9], nn => nn.conv(4, 3), [2, 4, 7, 9]],
    ['keeps it with an even kernel', [2, 3, 7, 9], nn => nn.conv(4, 2), [2, 4, 7, 9]],
    ['keeps it dilated', [2, 3, 7, 9], nn => nn.conv(4, 3, { dilation: 2 }), [2, 4, 7, 9]],
    ['strides, rounding up', [2, 3, 7, 9], nn => nn.conv(4, 3, { stride: 2 }), [2, 4, 4, 5]],
    [
      'has a kernel, stride and padding per axis',
      [1, 2, 8, 8],
      nn => nn.conv(4, [1, 5], { stride: [1, 2], padding: [0, 1] }),
      [1, 4, 8, 3],
    ],
    ['runs over one axis', [2, 3, 10], nn => nn.conv(4, 5, { stride: 2 }), [2, 4, 5]],
    ['runs over three axes', [1, 2, 4, 4, 4], nn => nn.conv(3, 3, { padding: 0 }), [1, 3, 2, 2, 2]],
    ['is depthwise', [2, 6, 5, 5], nn => nn.conv(6, 3, { groups: 6, bias: false }), [2, 6, 5, 5]],
  ]
  for (const [what, shape, make, expected] of shapes) {
    test(what, async () => {
      expect((await apply(drawn(...shape), make)).shape).toEqual(expected)
    })
  }
})

describe('linear', () => {
  test('is x W^T + b', async () => {
    const y = await apply(counting(2, 3), nn => nn.linear(2, { weight: ramp, bias: constant(1) }))
    expect(y).toEqual(float32s([2, 2], [6, 15, 15, 51]))
  })

  test('works on the last axis of any rank', async () => {
    const flat = await apply(drawn(6, 3), nn => nn.linear(4, { name: 'l' }))
    const deep = await apply(reshape(drawn(6, 3), [2, 3, 3]), nn => nn.linear(4, { name: 'l' }))
    expect(deep.shape).toEqual([2, 3, 4])
    listed(deep).forEach((value, i) => {
      expect(value).toBeCloseTo(listed(flat)[i]!, 5)
    })
  })
})

describe('normalisation', () => {
  test('by batch starts as the identity', async () => {
    const x = drawn(2, 3, 4, 4)
    const y = await apply(x, nn => nn.norm({ epsilon: 0 }))
    expect(listed(y)).toEqual(listed(x))
  })

  test('by batch can start as zero', async () => {
    expect(listed(await apply(drawn(2, 3, 2), nn => nn.norm({ scale: zeros })))).toEqual(new Array(12).fill(0))
  })

  test('by layer centres and scales the last axis', async () => {
    const y = listed(await apply(counting(2, 4), nn => nn.layerNorm({ epsilon: 0 })))
    const unit = [-3, -1, 1, 3].map(value => value / Math.sqrt(5))
    y.forEach((value, i) => {
      expect(value).toBeCloseTo(unit[i % 4]!, 5)
    })
  })
})

describe('pooling', () => {
  test('takes the largest, or the mean, of each window', async () => {
    const x = counting(1, 1, 4, 4)
    expect(listed(await apply(x, nn => nn.maxPool(2)))).toEqual([5, 7, 13, 15])
    expect(listed(await apply(x, nn => nn.averagePool(2)))).toEqual([2.5, 4.5, 10.5, 12.5])
  })

  test('overlaps, and pads: with nothing for the largest, with zeros for the mean', async () => {
    const x = counting(1, 1, 3)
    expect(listed(await apply(x, nn => nn.maxPool(2, { stride: 1, padding: 'same' })))).toEqual([1, 2, 2])
    expect(await apply(x, nn => nn.averagePool(3, { stride: 1, padding: 1 }))).toEqual(
      float32s([1, 1, 3], [1 / 3, 1, 1]),
    )
  })

  test('over all positions leaves the channels', async () => {
    expect(await apply(counting(2, 2, 2, 2), nn => nn.globalPool)).toEqual(float32s([2, 2], [1.5, 5.5, 9.5, 13.5]))
  })
})

describe('activations', () => {
  const x = [-3, -1, -0.5, 0, 0.5, 1, 4]
  const sigmoid = (v: number) => 1 / (1 + Math.exp(-v))
  const formulas: Readonly<Record<string, readonly [(nn: Layers) => Layer, (v: number) => number]>> = {
    relu: [nn => nn.relu, v => Math.max(v, 0)],
    leakyRelu: [nn => nn.leakyRelu(0.1), v => (v < 0 ? 0.1 * v : v)],
    prelu: [nn => nn.prelu(), v => (v < 0 ? 0.25 * v : v)],
    silu: [nn => nn.silu, v => v * sigmoid(v)],
    hardSwish: [nn => nn.hardSwish, v => (v * Math.min(Math.max(v + 3, 0), 6)) / 6],
    sigmoid: [nn => nn.sigmoid, sigmoid],
    tanh: [nn => nn.tanh, Math.tanh],
    'leakyRelu by name': [nn => nn.activation('leakyRelu'), v => (v < 0 ? 0.01 * v : v)],
    'one of one’s own': [nn => nn.activation(mine => mine.leakyRelu(0.5)), v => (v < 0 ? 0.5 * v : v)],
  }
  for (const [name, [make, formula]] of Object.entries(formulas)) {
    test(name, async () => {
      const y = listed(await apply(float32s([1, x.length], x), make))
      y.forEach((value, i) => {
        expect(value).toBeCloseTo(formula(x[i]!), 5)
      })
    })
  }

  test('gelu is x times the normal distribution function of x', async () => {
    const y = listed(await apply(float32s([1, 3], [-1, 0, 2]), nn => nn.gelu))
    ;[-0.158655, 0, 1.9545].forEach((expected, i) => {
      expect(y[i]).toBeCloseTo(expected, 5)
    })
  })

  test('prelu has a slope for each channel', async () => {
    const y = await apply(float32s([1, 2, 1, 2], [-1, 1, -1, 1]), nn => nn.prelu())
    expect(y.shape).toEqual([1, 2, 1, 2])
  })
})

describe('composition', () => {
  test('adds a shortcut to a branch, which may be a layer of its own', async () => {
    const x = counting(1, 3)
    const twice = (nn: Layers) =>
      nn.linear(3, { bias: false, weight: () => Float32Array.of(2, 0, 0, 0, 2, 0, 0, 0, 2) })
    expect(listed(await apply(x, nn => nn.residual(twice(nn))))).toEqual([0, 3, 6])
    expect(listed(await apply(x, nn => nn.residual(twice(nn), twice(nn))))).toEqual([0, 4, 8])
  })

  test('joins along the channels', async () => {
    const y = await apply(counting(1, 2, 2), nn => x => nn.concat([x, nn.relu(x)]))
    expect(y).toEqual(float32s([1, 4, 2], [0, 1, 2, 3, 0, 1, 2, 3]))
  })

  test('drops nothing in inference', async () => {
    const x = drawn(3, 4)
    expect(await apply(x, nn => nn.dropout(0.5))).toEqual(x)
  })

  test('looks rows up', async () => {
    const y = await apply(int64s([2, 0]), nn => nn.embedding(3, 2, { weight: ramp }))
    expect(y).toEqual(float32s([2, 2], [4, 5, 0, 1]))
  })
})

describe('space to depth', () => {
  test('makes a convolution of kernel 1 see a block: it is one of kernel and stride b', async () => {
    // Position (i, j) of the block in channel c is channel (2 i + j) C + c, so the weights are reordered alike.
    const block = [2, 3] as const
    const strided: Initializer = (shape, stream) => Float32Array.from({ length: elementCount(shape) }, stream.normal)
    const reordered: Initializer = (shape, stream) => {
      const [out, channels, b] = [shape[0]!, block[1], block[0]]
      const flat = Float32Array.from({ length: elementCount(shape) }, stream.normal)
      const moved = new Float32Array(flat.length)
      for (let k = 0; k < out; k++)
        for (let c = 0; c < channels; c++)
          for (let at = 0; at < b * b; at++)
            moved[(k * b * b + at) * channels + c] = flat[(k * channels + c) * b * b + at]!
      return moved
    }
    const x = drawn(2, 3, 6, 4)
    const options = { name: 'c', bias: false, stride: 1 }
    const whole = await apply(x, nn => nn.conv(5, 2, { ...options, stride: 2, padding: 0, weight: strided }))
    const parts = await apply(x, nn =>
      nn.sequential(nn.spaceToDepth(2), nn.conv(5, 1, { ...options, weight: reordered })),
    )
    expect(parts.shape).toEqual(whole.shape)
    listed(parts).forEach((value, i) => {
      expect(value).toBeCloseTo(listed(whole)[i]!, 4)
    })
  })

  test('fills odd sizes up with zeros, evenly', async () => {
    const y = await apply(float32s([1, 1, 1, 1], [5]), nn => nn.spaceToDepth(3))
    expect(y).toEqual(float32s([1, 9, 1, 1], [0, 0, 0, 0, 5, 0, 0, 0, 0]))
  })
})
