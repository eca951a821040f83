import { describe, expect, test } from 'vitest'
import { float32s, fromNumbers, int64s, numbers, scalar, type Tensor } from '../base/tensor.ts'
import { node as makeNode } from '../graph/edit.ts'
import { type Attribute, type Body, emptyGraph, type Graph } from '../graph/graph.ts'
import { check } from '../read/check.ts'
import { infer } from '../read/infer.ts'
import { upgrade } from '../read/upgrade.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'

type Attributes = Readonly<Record<string, Attribute>>

const int = (value: number): Attribute => ({ type: 'int', value })
const ints = (...value: number[]): Attribute => ({ type: 'ints', value })
const float = (value: number): Attribute => ({ type: 'float', value })
const floats = (...value: number[]): Attribute => ({ type: 'floats', value })
const string = (value: string): Attribute => ({ type: 'string', value })

const x = float32s(
  [1, 2, 3, 4],
  Float32Array.from({ length: 24 }, (_, i) => i / 5 - 2),
)

/** A graph of one node, its first input fed, the others constant. */
function one(op: string, opset: number, attributes: Attributes, rest: readonly Tensor[] = [], outputs = 1): Graph {
  const made = Array.from({ length: outputs }, (_, i) => `y${i}`)
  return {
    ...emptyGraph('legacy'),
    opset: { '': opset },
    inputs: [{ name: 'x', type: { dtype: 'float32', shape: x.shape } }],
    initializers: new Map(rest.map((t, i) => [`c${i}`, t])),
    nodes: [makeNode({ op, inputs: ['x', ...rest.map((_, i) => `c${i}`)], outputs: made, attributes })],
    outputs: made.map(name => ({ name, type: undefined })),
  }
}

async function run(graph: Graph): Promise<Record<string, Tensor>> {
  await using session = await onnxruntimeNode.open(graph, { threads: 1 })
  return session.run({ x })
}

/** What the upgraded graph computes must be what another one, or the old one itself, does. */
async function expectUpgraded(old: Graph, equal: Graph = old) {
  const { graph: newer, refused } = upgrade(old)
  expect(refused).toEqual([])
  expect(check(newer)).toEqual([])
  const [after, before] = [await run(newer), await run(equal)]
  const types = infer(old)
  for (const [i, { name }] of old.outputs.entries()) {
    const [a, b] = [after[name]!, before[equal.outputs[i]!.name]!]
    expect(a).toMatchObject({ dtype: b.dtype, shape: b.shape })
    const [values, wanted] = [a, b].map(t => Array.from(numbers(t)))
    for (const [k, value] of values!.entries()) expect(value).toBeCloseTo(wanted![k]!, 4)
    expect(types.get(name)).toMatchObject({ dtype: b.dtype, shape: b.shape })
  }
}

describe('operators that are gone, as engines still run them, are read as others', () => {
  const cases: readonly [op: string, attributes: Attributes, rest?: readonly Tensor[]][] = [
    ['Affine', { alpha: float(2), beta: float(1) }],
    ['Scale', { scale: float(2.5) }],
    ['ScaledTanh', { alpha: float(2), beta: float(0.5) }],
    ['ParametricSoftplus', { alpha: float(2), beta: float(0.5) }],
    ['ImageScaler', { scale: float(2), bias: floats(1, 2) }],
    ['Crop', { border: ints(1, 0, 1, 1) }],
    ['Crop', { border: ints(1, 0, 0, 0), scale: ints(2, 2) }],
    ['MeanVarianceNormalization', {}],
    ['MeanVarianceNormalization', { across_channels: int(1) }],
    ['MeanVarianceNormalization', { normalize_variance: int(0) }],
    [
      'BatchNormalization',
      { spatial: int(0) },
      [1, 2, 3, 4].map(n =>
        float32s(
          [2, 3, 4],
          Float32Array.from({ length: 24 }, (_, i) => (i % 5) + n),
        ),
      ),
    ],
  ]
  test.each(cases)('%s %o', async (op, attributes, rest) => {
    await expectUpgraded(one(op, 7, attributes, rest))
  })
  test('DynamicSlice', async () => {
    const { graph } = upgrade(one('DynamicSlice', 7, {}, [int64s([0, 1]), int64s([2, 3]), int64s([1, 3])]))
    expect((await run(graph)).y0!.shape).toEqual([1, 2, 3, 2])
  })
})

describe('forms older than engines', () => {
  test('Concat without its axis', () =>
    expectUpgraded(one('Concat', 3, {}, [x]), one('Concat', 4, { axis: int(1) }, [x])))
  test('Cast to a type by name', () =>
    expectUpgraded(one('Cast', 5, { to: string('INT32') }), one('Cast', 9, { to: int(6) })))
  test('Split by an input', () =>
    expectUpgraded(
      one('Split', 1, { axis: int(2) }, [float32s([2], [1, 2])], 2),
      one('Split', 11, { axis: int(2), split: ints(1, 2) }, [], 2),
    ))
  test('Pad by paddings', () =>
    expectUpgraded(
      one('Pad', 1, { paddings: ints(0, 0, 0, 1, 0, 0, 1, 0), value: float(3) }),
      one('Pad', 2, { pads: ints(0, 0, 0, 1, 0, 0, 1, 0), value: float(3) }),
    ))
  test('Tile of one axis', () =>
    expectUpgraded(
      one('Tile', 1, {}, [float32s([1], [2]), float32s([1], [3])]),
      one('Tile', 6, {}, [int64s([1, 1, 1, 2])]),
    ))
  test('Upsample by a height and a width', () =>
    expectUpgraded(
      one('Upsample', 1, { mode: string('nearest'), height_scale: float(2), width_scale: float(1.5) }),
      one('Upsample', 7, { mode: string('nearest'), scales: floats(1, 1, 2, 1.5) }),
    ))
  test('Selu with rounded constants', () =>
    expectUpgraded(one('Selu', 5, {}), one('Selu', 6, { alpha: float(1.6732), gamma: float(1.0507) })))
  test('Dropout in test mode', () => expectUpgraded(one('Dropout', 6, { is_test: int(1) }), one('Identity', 7, {})))
  test('norms of powers that are floats', () =>
    expectUpgraded(
      one('LpPool', 1, { kernel_shape: ints(2, 2), p: float(2) }),
      one('LpPool', 11, { kernel_shape: ints(2, 2), p: int(2) }),
    ))
  test('hints about memory', () => expectUpgraded(one('Relu', 5, { consumed_inputs: ints(1) }), one('Relu', 6, {})))
  test('BatchNormalization in test mode', () => {
    const rest = [1, 2, 0, 3].map(n => float32s([2], [n, n + 1]))
    return expectUpgraded(
      one('BatchNormalization', 6, { is_test: int(1), consumed_inputs: ints(0, 0, 0, 1, 1) }, rest),
      one('BatchNormalization', 7, {}, rest),
    )
  })
  test('a second input of as many axes, with broadcasting asked for or not', async () => {
    await expectUpgraded(one('Add', 6, {}, [x]), one('Add', 7, {}, [x]))
    const column = float32s([2], [10, 20])
    await expectUpgraded(
      one('Mul', 6, { broadcast: int(1), axis: int(1) }, [column]),
      one('Mul', 7, {}, [{ ...column, shape: [2, 1, 1] }]),
    )
  })
})

test('a scan of opset 8 goes over its batch too', async () => {
  const type = (shape: readonly number[]) => ({ dtype: 'float32' as const, shape })
  const body: Body = {
    name: 'body',
    inputs: [
      { name: 'state', type: type([2]) },
      { name: 'element', type: type([2]) },
    ],
    outputs: [
      { name: 'sum', type: type([2]) },
      { name: 'seen', type: type([2]) },
    ],
    nodes: [
      makeNode({ op: 'Add', inputs: ['state', 'element'], outputs: ['sum'] }),
      makeNode({ op: 'Identity', inputs: ['sum'], outputs: ['seen'] }),
    ],
    initializers: new Map(),
    types: new Map(),
  }
  const data = float32s(
    [3, 4, 2],
    Float32Array.from({ length: 24 }, (_, i) => i),
  )
  for (const directions of [undefined, ints(1)]) {
    const old: Graph = {
      ...emptyGraph('scan'),
      opset: { '': 8 },
      inputs: [
        { name: 'start', type: type([3, 2]) },
        { name: 'data', type: type([3, 4, 2]) },
      ],
      nodes: [
        makeNode({
          op: 'Scan',
          inputs: ['', 'start', 'data'],
          outputs: ['last', 'all'],
          attributes: {
            body: { type: 'graph', value: body },
            num_scan_inputs: int(1),
            ...(directions && { directions }),
          },
        }),
      ],
      outputs: [
        { name: 'last', type: type([3, 2]) },
        { name: 'all', type: type([3, 4, 2]) },
      ],
    }
    const { graph: newer, refused } = upgrade(old)
    expect(refused).toEqual([])
    const feeds = { start: float32s([3, 2], [1, 2, 3, 4, 5, 6]), data }
    const results = await Promise.all(
      [old, newer].map(async graph => {
        await using session = await onnxruntimeNode.open(graph, { threads: 1 })
        return session.run(feeds)
      }),
    )
    expect(results[1]).toEqual(results[0])
    expect(
      infer({ ...old, outputs: old.outputs.map(({ name }) => ({ name, type: undefined })) }).get('all'),
    ).toMatchObject(type([3, 4, 2]))
  }
})

test('recurrent layers of opset 1 lose the attribute that asked for the whole sequence', () => {
  const w = (shape: readonly number[]) =>
    fromNumbers('float32', shape, new Float32Array(shape.reduce((a, b) => a * b, 1)))
  const old = one('GRU', 3, { hidden_size: int(2), output_sequence: int(1) }, [w([1, 6, 4]), w([1, 6, 2])], 2)
  const shaped = { ...old, inputs: [{ name: 'x', type: { dtype: 'float32' as const, shape: [3, 1, 4] } }] }
  const { graph, refused } = upgrade(shaped)
  expect(refused).toEqual([])
  expect(check(graph)).toEqual([])
  expect(scalar('float32', 1).shape).toEqual([])
})
