import { describe, expect, test } from 'vitest'
import type { TensorType } from '../base/shape.ts'
import { float32s, scalar, type Tensor } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { type NewNode, node } from '../graph/edit.ts'
import { type Body, emptyGraph, type Graph, type Value } from '../graph/graph.ts'
import { infer } from '../read/infer.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'

const untyped = (...names: string[]): Value[] => names.map(name => ({ name, type: undefined }))
const value = (name: string, dtype: TensorType['dtype'], shape: TensorType['shape']): Value => ({
  name,
  type: { dtype, shape },
})

function body(inputs: readonly Value[], nodes: readonly NewNode[], ...outputs: string[]): Body {
  return { ...emptyGraph('body'), inputs, nodes: nodes.map(node), outputs: untyped(...outputs) }
}

function graph(
  inputs: readonly Value[],
  nodes: readonly NewNode[],
  constants: Record<string, Tensor>,
  ...outputs: string[]
): Graph {
  return {
    ...body(inputs, nodes, ...outputs),
    ...emptyGraph('graph'),
    inputs,
    nodes: nodes.map(node),
    outputs: untyped(...outputs),
    initializers: new Map(Object.entries(constants)),
  }
}

async function shapesOf(one: Graph, feeds: Record<string, Tensor>): Promise<Record<string, readonly number[]>> {
  await using session = await onnxruntimeNode.open(one, { threads: 1 })
  const results = await session.run(feeds)
  return Object.fromEntries(Object.entries(results).map(([name, t]) => [name, t.shape]))
}

const shapeOf = (one: Graph, name: string) => (infer(one).get(name) as TensorType).shape

describe('If', () => {
  const branches = {
    then_branch: attribute.graph(
      body([], [{ op: 'Concat', inputs: ['x', 'x'], outputs: ['a'], attributes: { axis: attribute.int(1) } }], 'a'),
    ),
    else_branch: attribute.graph(body([], [{ op: 'Relu', inputs: ['x'], outputs: ['b'] }], 'b')),
  }
  const choose = { op: 'If', inputs: ['c'], outputs: ['y'], attributes: branches }

  test('has the sizes that both branches have', async () => {
    const one = graph([value('x', 'float32', ['N', 2]), value('c', 'bool', [])], [choose], {}, 'y')
    expect(shapeOf(one, 'y')).toEqual(['N', ''])
    expect(await shapesOf(one, { x: float32s([1, 2], [1, 2]), c: scalar('bool', 1) })).toEqual({ y: [1, 4] })
  })
  test('has the type of the branch that a constant condition takes', () => {
    expect(shapeOf(graph([value('x', 'float32', ['N', 2])], [choose], { c: scalar('bool', 1) }, 'y'), 'y')).toEqual([
      'N',
      4,
    ])
    expect(shapeOf(graph([value('x', 'float32', ['N', 2])], [choose], { c: scalar('bool', 0) }, 'y'), 'y')).toEqual([
      'N',
      2,
    ])
  })
  test('never takes a branch whose nodes do not fit', () => {
    const misfit = body([], [{ op: 'Add', inputs: ['x', 'z'], outputs: ['a'] }], 'a')
    const attributes = { ...branches, then_branch: attribute.graph(misfit) }
    const inputs = [value('x', 'float32', [3, 2]), value('z', 'float32', [5, 2]), value('c', 'bool', [])]
    expect(shapeOf(graph(inputs, [{ ...choose, attributes }], {}, 'y'), 'y')).toEqual([3, 2])
  })
})

describe('Loop', () => {
  const step = body(
    [value('i', 'int64', []), value('go', 'bool', []), value('state', 'float32', undefined)],
    [
      { op: 'Identity', inputs: ['go'], outputs: ['go_on'] },
      { op: 'Concat', inputs: ['state', 'row'], outputs: ['longer'], attributes: { axis: attribute.int(0) } },
      { op: 'ReduceSum', inputs: ['longer'], outputs: ['total'], attributes: { keepdims: attribute.int(0) } },
    ],
    'go_on',
    'longer',
    'total',
  )
  const loop = {
    op: 'Loop',
    inputs: ['trips', '', 'start'],
    outputs: ['end', 'totals'],
    attributes: { body: attribute.graph(step) },
  }
  const inputs = [value('start', 'float32', [1, 3])]

  test('takes back what changes from one iteration to the next, and counts trips', async () => {
    const one = graph(inputs, [loop], { trips: scalar('int64', 4), row: float32s([1, 3], [1, 2, 3]) }, 'end', 'totals')
    expect(shapeOf(one, 'end')).toEqual(['', 3])
    expect(shapeOf(one, 'totals')).toEqual([4])
    expect(await shapesOf(one, { start: float32s([1, 3], [0, 0, 0]) })).toEqual({ end: [5, 3], totals: [4] })
  })
  test('may end before its limit where it has a condition', () => {
    const constants = { trips: scalar('int64', 4), go: scalar('bool', 1), row: float32s([1, 3], [1, 2, 3]) }
    const conditional = { ...loop, inputs: ['trips', 'go', 'start'] }
    expect(shapeOf(graph(inputs, [conditional], constants, 'totals'), 'totals')).toEqual([4])
    const open = { ...constants, go: scalar('bool', 0) }
    expect(shapeOf(graph(inputs, [conditional], open, 'totals'), 'totals')).toEqual([''])
  })
})

describe('Scan', () => {
  const step = body(
    untyped('sum', 'row'),
    [
      { op: 'Add', inputs: ['sum', 'row'], outputs: ['next'] },
      { op: 'Identity', inputs: ['next'], outputs: ['copy'] },
    ],
    'next',
    'copy',
  )
  const scan = (attributes: NewNode['attributes']): NewNode => ({
    op: 'Scan',
    inputs: ['zero', 'x'],
    outputs: ['last', 'all'],
    attributes: { body: attribute.graph(step), num_scan_inputs: attribute.int(1), ...attributes },
  })
  const zero = { zero: float32s([2], [0, 0]) }

  test('stacks what each step makes', async () => {
    const one = graph([value('x', 'float32', ['T', 2])], [scan({})], zero, 'last', 'all')
    expect(shapeOf(one, 'last')).toEqual([2])
    expect(shapeOf(one, 'all')).toEqual(['T', 2])
    expect(await shapesOf(one, { x: float32s([3, 2], [1, 2, 3, 4, 5, 6]) })).toEqual({ last: [2], all: [3, 2] })
  })
  test('walks along and stacks by other axes', () => {
    const axes = { scan_input_axes: attribute.ints([1]), scan_output_axes: attribute.ints([-1]) }
    const one = graph([value('x', 'float32', [2, 5])], [scan(axes)], zero, 'last', 'all')
    expect(shapeOf(one, 'all')).toEqual([2, 5])
  })
})

describe('sequences', () => {
  test('hand on what is known of their elements', async () => {
    const nodes: NewNode[] = [
      { op: 'SequenceConstruct', inputs: ['x', 'y'], outputs: ['s'] },
      { op: 'SequenceInsert', inputs: ['s', 'x'], outputs: ['t'] },
      { op: 'ConcatFromSequence', inputs: ['t'], outputs: ['joined'], attributes: { axis: attribute.int(1) } },
      { op: 'SequenceAt', inputs: ['t', 'first'], outputs: ['one'] },
      { op: 'SequenceLength', inputs: ['t'], outputs: ['count'] },
      {
        op: 'SplitToSequence',
        inputs: ['x'],
        outputs: ['parts'],
        attributes: { axis: attribute.int(1), keepdims: attribute.int(0) },
      },
      { op: 'SequenceAt', inputs: ['parts', 'first'], outputs: ['part'] },
    ]
    const inputs = [value('x', 'float32', ['N', 2]), value('y', 'float32', ['N', 3])]
    const one = graph(inputs, nodes, { first: scalar('int64', 0) }, 'joined', 'one', 'count', 'part')
    expect(infer(one).get('s')).toEqual({ sequence: { dtype: 'float32', shape: ['N', ''] } })
    expect(shapeOf(one, 'joined')).toEqual(['N', ''])
    expect(shapeOf(one, 'one')).toEqual(['N', ''])
    expect(shapeOf(one, 'count')).toEqual([])
    expect(shapeOf(one, 'part')).toEqual(['N'])
    const feeds = { x: float32s([1, 2], [1, 2]), y: float32s([1, 3], [3, 4, 5]) }
    expect(await shapesOf(one, feeds)).toEqual({ joined: [1, 7], one: [1, 2], count: [], part: [1] })
  })

  test('are not split into parts of no size, which would end an engine’s process', () => {
    const split: NewNode = { op: 'SplitToSequence', inputs: ['x', 'size'], outputs: ['parts'] }
    const into = (size: number) =>
      infer(graph([value('x', 'float32', [4])], [split], { size: scalar('int64', size) }, 'parts'))
    expect(into(2).get('parts')).toEqual({ sequence: { dtype: 'float32', shape: [''] } })
    expect(() => into(0)).toThrow('a size above 0, not 0')
  })
})

test('bodies that take or make another number of values than their nodes give and hand out are refused', () => {
  const inner = body([], [{ op: 'Neg', inputs: ['x'], outputs: ['a'] }], 'a')
  const branches = { then_branch: attribute.graph(inner), else_branch: attribute.graph(inner) }
  const choice: NewNode = { op: 'If', inputs: ['c'], outputs: ['y', 'z'], attributes: branches }
  const inputs = [value('x', 'float32', [2]), value('c', 'bool', [])]
  expect(() => infer(graph(inputs, [choice], {}, 'y'))).toThrow("its body 'body' has 1 outputs where 2 are needed")

  const again = body([...untyped('i', 'go', 'state')], [{ op: 'Neg', inputs: ['state'], outputs: ['n'] }], 'go', 'n')
  const loop = (inputs: string[], outputs: string[]): NewNode => ({
    op: 'Loop',
    inputs,
    outputs,
    attributes: { body: attribute.graph(again) },
  })
  const run = (...[from, to]: Parameters<typeof loop>) =>
    infer(graph(inputs, [loop(from, to)], { times: scalar('int64', 3) }, 'y'))
  expect(run(['times', '', 'x'], ['y']).get('y')).toEqual({ dtype: 'float32', shape: [2] })
  expect(() => run(['times', '', 'x'], ['y', 'all'])).toThrow('2 outputs where 3 are needed')
  expect(() => run(['times', '', 'x', 'x'], ['y', 'z'])).toThrow('3 inputs where 4 are given')

  const sum = body(untyped('slice'), [{ op: 'Neg', inputs: ['slice'], outputs: ['n'] }], 'n')
  const scanning = (outputs: string[], count: number): NewNode => ({
    op: 'Scan',
    inputs: ['x'],
    outputs,
    attributes: { body: attribute.graph(sum), num_scan_inputs: attribute.int(count) },
  })
  expect(() => infer(graph(inputs, [scanning(['y', 'z'], 1)], {}, 'y'))).toThrow('1 outputs where 2 are needed')
  expect(() => infer(graph(inputs, [scanning(['y'], 2)], {}, 'y'))).toThrow('it scans 2 of its 1 inputs')
})
