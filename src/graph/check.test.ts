import { describe, expect, it } from 'vitest'
import { lazyTensor, type Tensor, zeros } from '../base/tensor.ts'
import { attribute } from './attributes.ts'
import { check } from './check.ts'
import { type NewNode, node } from './edit.ts'
import { type Body, emptyGraph, type SparseTensor } from './graph.ts'

interface Parts extends Partial<Omit<Body, 'inputs' | 'outputs' | 'nodes' | 'initializers'>> {
  readonly inputs?: readonly string[]
  readonly outputs?: readonly string[]
  readonly nodes?: readonly NewNode[]
  readonly initializers?: Readonly<Record<string, Tensor>>
}

function body({ inputs = ['x'], outputs = [], nodes = [], initializers = {}, ...more }: Parts): Body {
  const values = (names: readonly string[]) => names.map(name => ({ name, type: undefined }))
  return {
    ...emptyGraph('g'),
    inputs: values(inputs),
    outputs: values(outputs),
    nodes: nodes.map(node),
    initializers: new Map(Object.entries(initializers)),
    ...more,
  }
}

function op(inputs: readonly string[], outputs: readonly string[], attributes: NewNode['attributes'] = {}): NewNode {
  return { op: 'Op', name: `make-${outputs[0]}`, inputs, outputs, attributes }
}

/** Codes and the value that each is about. */
function problems(parts: Parts): readonly (readonly [string, string | undefined])[] {
  return check(body(parts)).map(({ code, where }) => [code, where.value] as const)
}

const w = zeros('float32', [2])

describe('check', () => {
  it('finds nothing wrong with a sound graph', () => {
    const branch = body({ inputs: [], nodes: [op(['a', 'w'], ['r'])], outputs: ['r'] })
    const nodes = [op(['x', '', 'w'], ['a', '']), op(['a'], ['y'], { then_branch: attribute.graph(branch) })]
    expect(problems({ nodes, initializers: { w, x: w }, outputs: ['y', 'x', 'w'] })).toEqual([])
  })

  it('finds values that nothing makes', () => {
    expect(problems({ nodes: [op(['x', 'gone'], ['y'])], outputs: ['y', 'z'] })).toEqual([
      ['missing-value', 'gone'],
      ['missing-output', 'z'],
    ])
  })

  it('says where, in words and as data', () => {
    const branch = body({ inputs: [], nodes: [op(['gone'], ['r'])], outputs: ['r'] })
    const [problem] = check(
      body({ nodes: [op(['x'], ['y'], { then_branch: attribute.graph(branch) })], outputs: ['y'] }),
    )
    expect(problem).toEqual({
      code: 'missing-value',
      message: "In Op 'make-y' then_branch: Op 'make-r' reads 'gone', which nothing makes.",
      where: { body: ["Op 'make-y' then_branch"], node: "Op 'make-r'", index: 0, value: 'gone' },
    })
  })

  it('finds values that are made twice', () => {
    const nodes = [op([], ['x']), op([], ['w']), op([], ['a']), op([], ['a', 'a'])]
    expect(problems({ nodes, initializers: { w } })).toEqual([
      ['duplicate-value', 'x'],
      ['duplicate-value', 'w'],
      ['duplicate-value', 'a'],
      ['duplicate-value', 'a'],
    ])
    const sparse: SparseTensor = { shape: [2], values: zeros('float32', [0]), indices: zeros('int64', [0]) }
    expect(problems({ initializers: { w }, sparseInitializers: new Map([['w', sparse]]) })).toEqual([
      ['duplicate-value', 'w'],
    ])
    expect(problems({ inputs: ['x', 'x'] })).toEqual([['duplicate-input', 'x']])
  })

  it('finds inputs and outputs without a name', () => {
    const nodes = [op(['x'], ['', '']), op(['x'], [])]
    expect(problems({ inputs: ['x', ''], nodes, outputs: [''] }).map(([code]) => code)).toEqual(
      Array(4).fill('unnamed-value'),
    )
  })

  it('tells nodes out of order from nodes in a cycle', () => {
    expect(problems({ nodes: [op(['b'], ['c']), op(['a'], ['b']), op(['x'], ['a'])] })).toEqual([
      ['out-of-order', 'b'],
      ['out-of-order', 'a'],
    ])
    const cycles = [op(['c'], ['a']), op(['a'], ['b']), op(['b'], ['c']), op(['c'], ['d']), op(['s'], ['s'])]
    const found = check(body({ nodes: cycles }))
    expect(found.map(({ code }) => code)).toEqual(['cycle', 'cycle'])
    expect(found[0]!.message).toBe(
      "Nodes wait for each other: Op 'make-a' <- Op 'make-c' <- Op 'make-b' <- Op 'make-a'.",
    )
    expect(found[1]!.where.node).toBe("Op 'make-s'")
  })

  it('counts what bodies capture as read by their node', () => {
    const branch = body({ inputs: [], nodes: [op(['late'], ['r'])], outputs: ['r'] })
    const nodes = [op(['x'], ['y'], { then_branch: attribute.graph(branch) }), op(['x'], ['late'])]
    expect(problems({ nodes })).toEqual([['out-of-order', 'late']])
    const own = body({ inputs: [], nodes: [op(['y'], ['r'])], outputs: ['r'] })
    expect(problems({ nodes: [op(['x'], ['y'], { then_branch: attribute.graph(own) })] })).toEqual([
      ['cycle', undefined],
    ])
  })

  it('finds names in bodies that stand for other values around them, and outputs made around them', () => {
    const branch = body({ inputs: ['i'], initializers: { w }, nodes: [op([], ['x'])], outputs: ['x', 'a'] })
    const nodes = [op([], ['a']), op([], ['y'], { body: { type: 'graphs', value: [branch] } })]
    expect(problems({ nodes, initializers: { w } })).toEqual([
      ['shadowed-value', 'w'],
      ['shadowed-value', 'x'],
      ['missing-output', 'a'],
    ])
  })

  it('finds tensors whose data does not fit their shape, without reading what was not read yet', () => {
    const short = { ...w, shape: [3] }
    const negative = { ...w, shape: [-2] }
    const lazy = lazyTensor('float32', [3], () => {
      throw new Error('read')
    })
    const nodes = [op([], ['y'], { value: attribute.tensor(short), list: { type: 'tensors', value: [w, negative] } })]
    expect(check(body({ nodes, initializers: { short, lazy } })).map(({ code, message }) => [code, message])).toEqual([
      ['wrong-data', "The initializer 'short' holds 2 array elements where float32[3] has 3."],
      ['wrong-data', "The attribute value of Op 'make-y' holds 2 array elements where float32[3] has 3."],
      ['wrong-data', "The attribute list of Op 'make-y' has the shape [-2]."],
    ])
  })

  it('finds sparse tensors whose indices do not fit', () => {
    const sparse = (shape: number[], indices: number[], ...at: bigint[]): SparseTensor => ({
      shape,
      values: zeros('float32', [2]),
      indices: { dtype: 'int64', shape: indices, data: BigInt64Array.from(at) },
    })
    const wrong = (one: SparseTensor) => problems({ sparseInitializers: new Map([['s', one]]) }).length
    expect(wrong(sparse([2, 3], [2], 0n, 5n))).toBe(0)
    expect(wrong(sparse([2, 3], [2, 2], 0n, 2n, 1n, 0n))).toBe(0)
    expect(wrong(sparse([2, 3], [2], 0n, 6n))).toBe(1)
    expect(wrong(sparse([2, 3], [2, 2], 0n, 3n, 1n, 0n))).toBe(1)
    expect(wrong(sparse([2, 3], [1], 0n))).toBe(1)
    expect(wrong(sparse([2, 3], [2, 1], 0n, 1n))).toBe(1)
  })

  it('follows chains of any length', () => {
    const length = 50_000
    const nodes = Array.from({ length }, (_, i) => node({ op: 'Relu', inputs: [`v${i}`], outputs: [`v${i + 1}`] }))
    const chain = body({ inputs: ['v0'], outputs: [`v${length}`] })
    expect(check({ ...chain, nodes })).toEqual([])
    expect(check({ ...chain, nodes: [...nodes].reverse() })).toHaveLength(length - 1)
    const closed = node({ op: 'Relu', inputs: [`v${length}`], outputs: ['v0'] })
    expect(check({ ...chain, inputs: [], nodes: [closed, ...nodes] }).map(({ code }) => code)).toEqual(['cycle'])
  })
})
