import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { float32s, fromNumbers, int64s } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { edit, node } from '../graph/edit.ts'
import { type Body, emptyGraph, type Graph } from '../graph/graph.ts'
import { resnet } from '../nn/architectures/resnet.ts'
import { resnetCifar } from '../nn/architectures/resnet-cifar.ts'
import { decode } from '../onnx/decode.ts'
import { cost } from './cost.ts'
import { extend } from './extend.ts'

const mobilenet = '../shared/models/mobilenet_v2_fp32.onnx'

describe('the cost of a graph', () => {
  test('is the published one of ResNet-18 and ResNet-20', () => {
    const { macs, parameters, uncounted } = cost(resnet({ depth: 18, seed: 1 }))
    expect(macs).toBe(1_814_073_344) // torchvision: 1.81 G
    expect(parameters - 2 * 4800).toBe(11_689_512) // torchvision's count, which has no running statistics
    expect(uncounted).toEqual([])
    const small = cost(resnetCifar({ depth: 20, seed: 1 }))
    expect(small.macs / 1e6).toBeCloseTo(40.8, 1)
    expect(small.parameters / 1e6).toBeCloseTo(0.27, 2)
  })

  test.skipIf(!existsSync(mobilenet))('is the published one of MobileNetV2', () => {
    const { macs, parameters } = cost(decode(readFileSync(mobilenet)))
    expect(macs / 1e9).toBeCloseTo(0.3, 2)
    expect(parameters).toBe(3_487_818)
  })

  const weight = float32s([4, 3], new Float32Array(12))
  const twice: Graph = extend(
    { ...emptyGraph('test'), inputs: [{ name: 'x', type: { dtype: 'float32', shape: ['N', 3] } }] },
    (op, draft) => {
      const [a, b] = [draft.constant('w', weight), draft.constant('v', weight)]
      draft.types.set(a, { dtype: 'float32', shape: [4, 3] })
      const wide = op.Gemm(['x', a], { transB: 1 })
      draft.outputs.push({ name: op.Gemm([op.Relu([op.MatMul([wide, b])]), a], { transB: 1 }), type: undefined })
    },
  )

  test('is that of one example, or of the sizes given', () => {
    expect(cost(twice).macs).toBe(36)
    expect(cost(twice, { bind: { N: 5 } }).macs).toBe(180)
  })
  test('counts a shared parameter once, and at each node that reads it', () => {
    const { parameters, parameterBytes, nodes } = cost(twice)
    expect([parameters, parameterBytes]).toEqual([12, 48])
    expect(nodes.map(one => one.parameters)).toEqual([12, 12, 0, 12])
  })
  test('takes the most memory where the widest values meet', () => {
    // x (12 bytes) and 4 floats, then these and 3 floats, two times 3 floats, and 3 and 4 floats.
    expect(cost(twice).peakActivationBytes).toBe(28)
  })
  test('leaves indices and shapes out of the parameters, and takes quantized weights in', () => {
    const quantized = extend(
      { ...emptyGraph('test'), inputs: [{ name: 'x', type: { dtype: 'float32', shape: ['N', 3] } }] },
      (op, draft) => {
        const w = op.constant(fromNumbers('int8', [3, 2], new Array(6).fill(1)))
        const shape = op.constant(int64s([-1, 3]))
        const cast = op.Cast([w], { to: 1 })
        draft.outputs.push({ name: op.MatMul([op.Reshape(['x', shape]), cast]), type: undefined })
      },
    )
    expect(cost(quantized).parameters).toBe(6)
  })
  const image = (kernel: readonly [number, number]) =>
    extend(
      { ...emptyGraph('test'), inputs: [{ name: 'x', type: { dtype: 'float32', shape: ['N', 1, 'H', 'W'] } }] },
      (op, draft) => {
        const w = op.constant(float32s([2, 1, ...kernel], new Float32Array(2 * kernel[0] * kernel[1])))
        draft.outputs.push({ name: op.Conv(['x', w]), type: undefined })
      },
    )
  test('is that of the smallest sizes that fit, where 1 is too small', () => {
    const small = image([3, 3])
    expect(cost(small)).toMatchObject({
      macs: 2 * 9 * 4,
      uncounted: [],
      unsized: 0,
      sizes: { N: 1, H: 4, W: 4 },
      fitted: ['H', 'W'],
      open: [],
    })
    expect(cost(small, { bind: { H: 5, W: 5 } })).toMatchObject({ macs: 2 * 9 * 9, fitted: [], open: [] })
  })
  test('leaves out what depends on sizes of which none fits', () => {
    const large = image([5000, 1])
    expect(cost(large)).toMatchObject({ macs: 0, parameters: 10000, unsized: 2, open: ['H'], sizes: { N: 1, W: 1 } })
    expect(cost(large).uncounted).toHaveLength(1)
  })
  test('is that of the dearer branch', () => {
    const branch = (columns: number): Body => ({
      ...emptyGraph('branch'),
      inputs: [],
      initializers: new Map([['w', float32s([3, columns], new Float32Array(3 * columns))]]),
      nodes: [node({ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] })],
      outputs: [{ name: 'y', type: undefined }],
    })
    const choice = edit(emptyGraph('test'), draft => {
      draft.inputs.push({ name: 'x', type: { dtype: 'float32', shape: [1, 3] } })
      draft.inputs.push({ name: 'c', type: { dtype: 'bool', shape: [] } })
      const attributes = { then_branch: attribute.graph(branch(2)), else_branch: attribute.graph(branch(5)) }
      draft.add({ op: 'If', inputs: ['c'], outputs: ['out'], attributes })
      draft.outputs.push({ name: 'out', type: undefined })
    })
    expect(cost(choice)).toMatchObject({ macs: 15, parameters: 21, uncounted: [] })
  })

  test('takes unnamed dimensions for 1, and sizes for them by input and axis', () => {
    const unnamed = extend(
      { ...emptyGraph('test'), inputs: [{ name: 'x', type: { dtype: 'float32', shape: ['', 3] } }] },
      (op, draft) => {
        draft.outputs.push({
          name: op.MatMul(['x', op.constant(float32s([3, 2], new Float32Array(6)))]),
          type: undefined,
        })
      },
    )
    expect(cost(unnamed)).toMatchObject({ macs: 6, sizes: { 'x:0': 1 } })
    expect(cost(unnamed, { bind: { 'x:0': 4 } }).macs).toBe(24)
  })
  test('reads and writes operands whole, packed types by their bits', () => {
    const packed = extend(
      { ...emptyGraph('test'), inputs: [{ name: 'x', type: { dtype: 'float32', shape: [2, 5] } }] },
      (op, draft) => {
        const w = op.constant({ dtype: 'int4', shape: [5, 3], data: new Uint8Array(8) })
        const scale = op.constant(float32s([], [0.5]))
        draft.outputs.push({ name: op.MatMul(['x', op.DequantizeLinear([w, scale])]), type: undefined })
      },
    )
    const { nodes, parameterBytes, bytesRead, bytesWritten } = cost(packed)
    expect(nodes.map(node => [node.bytesRead, node.bytesWritten])).toEqual([
      [8 + 4, 60],
      [40 + 60, 24],
    ])
    expect([parameterBytes, bytesRead, bytesWritten]).toEqual([12, 112, 84])
  })

  /** A Loop whose body multiplies x [1, 3] by a matrix; `given` names its limit and condition. */
  function loop(limit: number | undefined, condition: boolean): Graph {
    const body: Body = {
      ...emptyGraph('body'),
      inputs: [
        { name: 'i', type: { dtype: 'int64', shape: [] } },
        { name: 'go', type: { dtype: 'bool', shape: [] } },
        { name: 'h', type: undefined },
      ],
      initializers: new Map([['w', float32s([3, 3], new Float32Array(9))]]),
      nodes: [
        node({ op: 'Identity', inputs: ['go'], outputs: ['on'] }),
        node({ op: 'MatMul', inputs: ['h', 'w'], outputs: ['next'] }),
      ],
      outputs: [
        { name: 'on', type: undefined },
        { name: 'next', type: undefined },
      ],
    }
    return edit(emptyGraph('test'), draft => {
      draft.inputs.push({ name: 'x', type: { dtype: 'float32', shape: [1, 3] } })
      const trips = limit === undefined ? 'n' : draft.constant('n', fromNumbers('int64', [], [limit]))
      if (limit === undefined) draft.inputs.push({ name: 'n', type: { dtype: 'int64', shape: [] } })
      if (condition) draft.inputs.push({ name: 'c', type: { dtype: 'bool', shape: [] } })
      const inputs = [trips, condition ? 'c' : '', 'x']
      draft.add({ op: 'Loop', inputs, outputs: ['y'], attributes: { body: attribute.graph(body) } })
      draft.outputs.push({ name: 'y', type: undefined })
    })
  }

  test('is an iteration times their number, where that is known', () => {
    expect(cost(loop(5, false))).toMatchObject({ macs: 45, countedOnce: [], uncounted: [] })
    for (const open of [loop(undefined, false), loop(5, true)]) {
      expect(cost(open)).toMatchObject({ macs: 9, uncounted: [] })
      expect(cost(open).countedOnce).toHaveLength(1)
    }
  })
  test('has a body at its peak on top of what is live around it', () => {
    // Around: x and y, 12 bytes each; inside: the number 8, h 12, on 1 and next 12 once go is freed.
    expect(cost(loop(5, false)).peakActivationBytes).toBe(24 + 33)
  })
  test('follows shapes that are computed from constants through matrices', () => {
    const padded = extend(
      { ...emptyGraph('test'), inputs: [{ name: 'x', type: { dtype: 'float32', shape: [1, 4] } }] },
      (op, draft) => {
        const pairs = op.Transpose([op.Reshape([op.constant(int64s([0, 0, 2, 2])), op.ints([2, 2])])])
        const wide = op.Pad(['x', op.Reshape([pairs, op.ints([-1])])])
        draft.outputs.push({
          name: op.MatMul([wide, op.constant(float32s([8, 2], new Float32Array(16)))]),
          type: undefined,
        })
      },
    )
    expect(cost(padded)).toMatchObject({ macs: 16, uncounted: [], unsized: 0 })
  })
})

test('bodies nested deeper than a file can hold are refused, not walked into until the stack ends', () => {
  const choice = (body: Body) =>
    node({ op: 'If', inputs: ['c'], outputs: ['y'], attributes: { then_branch: attribute.graph(body) } })
  const nested = Array.from({ length: 2000 }).reduce<Graph>(
    inner => ({ ...emptyGraph('nested'), nodes: [choice(inner)] }),
    emptyGraph('leaf'),
  )
  expect(() => cost(nested)).toThrow('nested deeper than 32 levels')
})
