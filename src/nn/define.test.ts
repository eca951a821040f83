import { describe, expect, test } from 'vitest'
import type { Tensor } from '../base/tensor.ts'
import { float32s } from '../base/tensor.ts'
import { check } from '../graph/check.ts'
import type { Graph } from '../graph/graph.ts'
import { infer } from '../read/infer.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { define, f32, i64 } from './define.ts'
import { constant } from './initializers.ts'

function twoLayers(seed: number, width = 8): Graph {
  return define(
    { image: f32(['N', 3, 16, 16]) },
    ({ image }, nn) => ({
      logits: nn.sequential(
        nn.conv(width, 3, { stride: 2 }),
        nn.norm(),
        nn.relu,
        nn.conv(4, 1),
        nn.globalPool,
        nn.linear(5, { name: 'fc' }),
      )(image),
    }),
    { seed },
  )
}

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'invalid-argument', message: expect.stringMatching(message) })

describe('define', () => {
  test('writes a graph down, with typed inputs and outputs', () => {
    const graph = twoLayers(1)
    expect(check(graph)).toEqual([])
    expect(graph.inputs).toEqual([{ name: 'image', type: f32(['N', 3, 16, 16]) }])
    expect(graph.outputs).toEqual([{ name: 'logits', type: f32(['N', 5]) }])
    expect(graph.nodes.map(node => node.name)).toEqual([
      'conv1/conv',
      'norm1/batchnormalization',
      '/relu',
      'conv2/conv',
      '/globalaveragepool',
      '/flatten',
      'fc/gemm',
    ])
    expect(infer(graph).get('conv1/conv')).toMatchObject({ shape: ['N', 8, 8, 8] })
  })

  test('names parameters by their layers, as PyTorch does', () => {
    const shapes = Object.fromEntries([...twoLayers(1).initializers].map(([name, { shape }]) => [name, shape]))
    expect(shapes).toEqual({
      'conv1.weight': [8, 3, 3, 3],
      'conv1.bias': [8],
      'norm1.weight': [8],
      'norm1.bias': [8],
      'norm1.running_mean': [8],
      'norm1.running_var': [8],
      'conv2.weight': [4, 8, 1, 1],
      'conv2.bias': [4],
      'fc.weight': [5, 4],
      'fc.bias': [5],
    })
  })

  test('draws the same values from the same seed, and others from another', () => {
    expect(twoLayers(7)).toEqual(twoLayers(7))
    expect(twoLayers(8).initializers.get('fc.weight')).not.toEqual(twoLayers(7).initializers.get('fc.weight'))
  })

  test('draws a parameter by its name, whatever else the network has', () => {
    const [narrow, wide] = [twoLayers(7), twoLayers(7, 16)]
    for (const name of ['fc.weight', 'fc.bias', 'conv2.bias'])
      expect(wide.initializers.get(name)?.shape).toEqual(narrow.initializers.get(name)?.shape)
    expect(wide.initializers.get('fc.weight')).toEqual(narrow.initializers.get('fc.weight'))
    expect(narrow.initializers.get('conv1.weight')).not.toEqual(narrow.initializers.get('conv2.weight'))
  })

  test('names modules by paths, and counts unnamed layers within each', () => {
    const graph = define(
      { x: f32(['N', 4]) },
      ({ x }, nn) => {
        const head = nn.within('head').within('0')
        return { y: head.sequential(head.linear(4), head.relu, head.linear(2, { name: 'out' }), nn.linear(2))(x) }
      },
      { seed: 1 },
    )
    expect([...graph.initializers.keys()].filter(name => name.endsWith('weight'))).toEqual([
      'head.0.linear1.weight',
      'head.0.out.weight',
      'linear1.weight',
    ])
    expect(graph.nodes.map(node => node.name)).toContain('head.0/relu')
  })

  test('shares the parameters of a layer that is applied twice', async () => {
    const graph = define(
      { a: f32(['N', 2]), b: f32(['N', 2]) },
      ({ a, b }, nn) => {
        const layer = nn.linear(1, { weight: constant(3), bias: false })
        return { sum: nn.add(layer(a), layer(b)) }
      },
      { seed: 1 },
    )
    expect(graph.initializers.size).toBe(1)
    await using session = await onnxruntimeNode.open(graph)
    const { sum } = await session.run({ a: float32s([1, 2], [1, 2]), b: float32s([1, 2], [10, 20]) })
    expect(sum).toEqual(float32s([1, 1], [99]))
  })

  test('takes parameters of one’s own, and operators as they are', async () => {
    const graph = define(
      { x: f32(['N']) },
      ({ x }, nn) => ({ y: nn.op.Mul([x, nn.parameter('gain', [1], constant(4))]) }),
      { seed: 1 },
    )
    expect([...graph.initializers.keys()]).toEqual(['gain'])
    await using session = await onnxruntimeNode.open(graph)
    expect((await session.run({ x: float32s([2], [1, 2]) })).y).toEqual(float32s([2], [4, 8]))
  })

  test('lets a value be several outputs, and an input be one', async () => {
    const graph = define(
      { x: f32(['N']) },
      ({ x }, nn) => {
        const y = nn.relu(x)
        return { first: y, second: y, third: nn.tanh(y), same: x }
      },
      { seed: 1 },
    )
    expect(check(graph)).toEqual([])
    await using session = await onnxruntimeNode.open(graph)
    const x = float32s([2], [-1, 0])
    expect(await session.run({ x })).toEqual({
      first: float32s([2], [0, 0]),
      second: float32s([2], [0, 0]),
      third: float32s([2], [0, 0]),
      same: x,
    } satisfies Record<string, Tensor>)
  })

  test('embeds indices', () => {
    const graph = define(
      { tokens: i64(['N', 'T']) },
      ({ tokens }, nn) => ({ vectors: nn.embedding(100, 16)(tokens) }),
      { seed: 1 },
    )
    expect(graph.outputs).toEqual([{ name: 'vectors', type: f32(['N', 'T', 16]) }])
    expect(graph.initializers.get('embedding1.weight')?.shape).toEqual([100, 16])
  })

  test('refuses what does not fit, and says which layer it is', () => {
    const x = { x: f32(['N', 4, 8, 8]) }
    const body = (layer: (nn: Parameters<Parameters<typeof define>[1]>[1]) => (x: string) => string) => () =>
      define(x, (refs, nn) => ({ y: layer(nn)(refs.x!) }), { seed: 1 })
    expect(body(nn => nn.conv(6, 3, { groups: 4 }))).toThrow(refusal(/'conv1' has 4 channels in and 6 out/))
    expect(body(nn => nn.conv(6, [3, 3, 3]))).toThrow(refusal(/2 spatial axes/))
    expect(body(nn => nn.conv(6, 0))).toThrow(refusal(/kernel/))
    expect(body(nn => nn.conv(6, 3, { padding: -1 }))).toThrow(refusal(/padding/))
    expect(body(nn => nn.sequential(nn.relu, nn.flatten, nn.maxPool(2)))).toThrow(refusal(/spatial/))
    expect(
      body(nn => {
        const layer = nn.linear(4)
        return nn.sequential(layer, layer)
      }),
    ).toThrow(refusal(/'linear1.weight' has the shape \[4,8\].*\[4,4\].*second layer/))
  })

  test('refuses a name that is taken, and a seed that is none', () => {
    const x = { x: f32(['N', 4]) }
    expect(() =>
      define(
        x,
        (refs, nn) => ({ y: nn.sequential(nn.linear(4, { name: 'a' }), nn.linear(4, { name: 'a' }))(refs.x) }),
        {
          seed: 1,
        },
      ),
    ).toThrow(refusal(/There is a 'a' already/))
    expect(() => define(x, (refs, nn) => ({ x: nn.relu(refs.x) }), { seed: 1 })).toThrow(refusal(/output 'x'/))
    expect(() => define(x, (refs, nn) => ({ y: nn.relu(refs.x) }), { seed: Number.NaN })).toThrow(refusal(/seed/))
  })
})
