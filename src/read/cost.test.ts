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
  test('leaves open what depends on sizes that are too small as 1', () => {
    const image = extend(
      { ...emptyGraph('test'), inputs: [{ name: 'x', type: { dtype: 'float32', shape: ['N', 1, 'H', 'W'] } }] },
      (op, draft) => {
        const w = op.constant(float32s([2, 1, 3, 3], new Float32Array(18)))
        draft.outputs.push({ name: op.Conv(['x', w]), type: undefined })
      },
    )
    expect(cost(image)).toMatchObject({ macs: 0, parameters: 18, peakActivationBytes: Number.NaN })
    expect(cost(image).uncounted).toHaveLength(1)
    expect(cost(image, { bind: { H: 5, W: 5 } }).macs).toBe(2 * 9 * 9)
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
})
