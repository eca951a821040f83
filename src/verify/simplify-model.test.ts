import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { float32s, int64s, scalar } from '../base/tensor.ts'
import { type Body, edit, type Graph, node } from '../graph/index.ts'
import { onnxruntimeNode as backend } from '../runtime/onnxruntime-node.ts'
import { simplifyModel } from './simplify-model.ts'

const operators = ({ nodes }: Graph) => nodes.map(({ op }) => op)

const batchNorm = makeGraph({ x: f32('N', 2, 8, 8) }, (op, { x }) => {
  const vector = (name: string, ...values: number[]) => op.constant(float32s([2], values), name)
  const conv = op.Conv([op.Identity([x]), op.constant(float32s([2, 2, 1, 1], [1, 2, 3, 4]), 'weight')])
  return {
    y: op.BatchNormalization([
      conv,
      vector('scale', 2, 3),
      vector('shift', 1, 0),
      vector('mean', 0, 1),
      vector('variance', 1, 2),
    ]),
  }
})
/** Twice the height of an image, computed on the way. */
const dynamic = makeGraph({ x: f32('N', 3, 'H', 'W') }, (op, { x }) => {
  const height = op.Gather([op.Shape([x]), op.constant(int64s([2]), 'i')])
  return { y: op.Add([x, op.Cast([height], { to: 1 })]) }
})

/** Takes rows of 4 at the rate 16, and rows of 2 at others. */
function branching(): Graph {
  const branch = (rows: number): Body => ({
    name: `of ${rows}`,
    inputs: [],
    outputs: [{ name: `y${rows}`, type: undefined }],
    initializers: new Map([
      [
        `w${rows}`,
        float32s(
          [rows, 1],
          Array.from({ length: rows }, (_, i) => i),
        ),
      ],
    ]),
    types: new Map(),
    nodes: [node({ op: 'MatMul', inputs: ['x', `w${rows}`], outputs: [`y${rows}`] })],
  })
  const rate = { dtype: 'int64', shape: [] } as const
  return makeGraph({ x: f32('N', ''), rate }, (op, { rate }) => ({
    y: op.If([op.Equal([rate, op.constant(scalar('int64', 16), 'sixteen')])], {
      then_branch: branch(4),
      else_branch: branch(2),
    }),
  }))
}

describe('simplifying a model', () => {
  test('gives a smaller one with the same outputs, and tells of it', async () => {
    const { graph, report } = await simplifyModel(batchNorm, { backend })
    expect(operators(graph)).toEqual(['Conv'])
    expect(report.nodes).toEqual({ before: 3, after: 1 })
    expect(report.bytes.after).toBeLessThan(report.bytes.before)
    expect(report.check).toMatchObject({ ok: true, feeds: 2, notChecked: null })
    expect(report.check.maxAbsDifference).toBeLessThan(1e-4)
    expect(report.passes.find(({ name }) => name === 'fold-batch-norm')).toMatchObject({ changes: 1 })
    expect(report.skipped).toEqual([])
  })

  test('leaves out steps, or takes some alone', async () => {
    const { graph } = await simplifyModel(batchNorm, { skip: ['fold-batch-norm'] })
    expect(operators(graph)).toContain('BatchNormalization')
    const { graph: only } = await simplifyModel(batchNorm, { only: ['fold-batch-norm'] })
    expect(operators(only)).toContain('Identity')
    await expect(simplifyModel(batchNorm, { skip: ['no-such-step'] })).rejects.toMatchObject({
      code: 'invalid-argument',
    })
  })

  test('says that nothing was compared without an engine, or where it is not asked for', async () => {
    expect((await simplifyModel(batchNorm)).report.check).toMatchObject({ ok: null, notChecked: 'no engine was given' })
    const { report } = await simplifyModel(batchNorm, { backend, check: false })
    expect(report.check).toMatchObject({ ok: null, notChecked: 'it was not asked for' })
  })

  test('pins shapes, so that what follows from them becomes constant', async () => {
    const { graph, report } = await simplifyModel(dynamic, { backend, pin: { x: [1, 3, 16, 8] } })
    expect(operators(graph)).toEqual(['Add'])
    expect(graph.inputs[0]!.type).toEqual(f32(1, 3, 16, 8))
    expect(graph.outputs[0]!.type).toMatchObject({ shape: [1, 3, 16, 8] })
    expect(report.check.ok).toBe(true)
    await expect(simplifyModel(dynamic, { pin: { z: [1] } })).rejects.toMatchObject({ code: 'not-found' })
    await expect(simplifyModel(dynamic, { pin: { x: [1, 4, 16, 8] } })).rejects.toThrow(/can be nothing else/)
    await expect(simplifyModel(dynamic, { pin: { x: [1, 3] } })).rejects.toThrow(/cannot be pinned/)
  })

  test('pins a model of two branches to a shape that one of them cannot run', async () => {
    const twice = branching()
    const { graph, report } = await simplifyModel(twice, { backend, pin: { x: [1, 4] } })
    expect(operators(graph)).toEqual(['MatMul'])
    expect(report.check).toMatchObject({ ok: true, notChecked: null })
    expect(report.notes).toEqual([expect.stringMatching(/it failed whenever it was taken/)])
    await expect(simplifyModel(twice, { backend, pin: { x: [1, 5] } })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/cannot run with the shapes/),
    })
  })

  test('leaves the shapes that it tests with out of the model', async () => {
    const { graph, report } = await simplifyModel(dynamic, { backend, testWith: { x: [2, 3, 5, 7] } })
    expect(graph.inputs[0]!.type).toEqual(f32('N', 3, 'H', 'W'))
    expect(report.check.ok).toBe(true)
  })

  test('writes an older opset where every node can be said in it, else names those that cannot', async () => {
    const squeezed = makeGraph({ x: f32('N', 1, 4) }, (op, { x }) => ({
      y: op.ReduceSum([op.Squeeze([x, op.constant(int64s([1]), 'a')]), op.constant(int64s([1]), 'b')], { keepdims: 0 }),
    }))
    const { graph, report } = await simplifyModel(squeezed, { backend, opset: 11 })
    expect(graph.opset['']).toBe(11)
    expect(graph.nodes.every(({ inputs }) => inputs.length === 1)).toBe(true)
    expect(report.check.ok).toBe(true)
    const gelu = makeGraph({ x: f32('N', 4) }, (op, { x }) => ({ y: op.Gelu([x]) }))
    await expect(simplifyModel(gelu, { opset: 17 })).rejects.toMatchObject({
      code: 'not-supported',
      details: { nodes: [{ why: expect.stringMatching(/since opset 20/) }] },
    })
  })

  test('raises the result to a newer opset', async () => {
    const { graph, report } = await simplifyModel(batchNorm, { backend, opset: 22 })
    expect(graph.opset['']).toBe(22)
    expect(report.check.ok).toBe(true)
  })

  test('keeps the names of tensors that are made anew, where asked to', async () => {
    const { graph } = await simplifyModel(batchNorm, { keepNames: true })
    expect([...graph.initializers.keys()]).toContain('weight')
  })

  test('strips metadata', async () => {
    const told = { ...batchNorm, metadata: { author: 'somebody' }, producer: { name: 'tool', version: '1' } }
    const { graph } = await simplifyModel(told, { strip: true })
    expect(graph.metadata).toEqual({})
    expect(graph.producer).toBeUndefined()
    expect(graph.nodes.every(({ extra }) => extra === undefined)).toBe(true)
  })

  test('simplifies what the engine does not know, and says that it is not checked', async () => {
    const custom: Graph = {
      ...edit(batchNorm, draft => {
        draft.add({ op: 'Twist', domain: 'made.up', inputs: ['y'], outputs: ['z'] })
        draft.outputs.push({ name: 'z', type: undefined })
      }),
      opset: { ...batchNorm.opset, 'made.up': 1 },
    }
    const { graph, report } = await simplifyModel(custom, { backend })
    expect(operators(graph)).toEqual(['Conv', 'Twist'])
    expect(report.check).toMatchObject({ ok: null, notChecked: expect.stringMatching(/Twist/) })
  })

  test('keeps to the growth that is allowed', async () => {
    const filled = makeGraph({ x: f32(512, 512) }, (op, { x }) => ({
      y: op.Add([x, op.Expand([op.constant(scalar('float32', 2), 'v'), op.constant(int64s([512, 1]), 's')])]),
    }))
    const { report } = await simplifyModel(filled, { backend, maxGrowth: Number.POSITIVE_INFINITY })
    expect(report.check.ok).toBe(true)
  })
})

test('what an engine folds keeps to the cap in sum, over all rounds', async () => {
  const graph = makeGraph({ x: f32(15, 256) }, (op, { x }) => ({
    y: Array.from({ length: 10 }, (_, i) => i).reduce(
      (sum, i) => op.Add([sum, op.ConstantOfShape([op.ints([15, 256])], { value: float32s([1], [i + 1]) })]),
      x,
    ),
  }))
  const bytes = ({ initializers }: Graph) =>
    [...initializers.values()].reduce((sum, { data }) => sum + (data as Float32Array).byteLength, 0)
  for (const maxGrowth of [40_000, 2 ** 30]) {
    const { graph: after } = await simplifyModel(graph, { backend, maxGrowth })
    expect(bytes(after) - bytes(graph)).toBeLessThanOrEqual(maxGrowth)
  }
})
