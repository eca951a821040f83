import { describe, expect, it } from 'vitest'
import { edit } from '../graph/edit.ts'
import type { Graph } from '../graph/graph.ts'
import { couple, entriesOf } from './coupling.ts'
import { net } from './testing/nets.ts'

/** `weight[axis]: indices of each slot`, of the parameters only. */
function groupsOf(graph: Graph): string[] {
  return couple(graph).groups.map(group => {
    const parts = group.axes.filter(axis => axis.parameter).map(axis => `${axis.value}[${axis.axis}]`)
    return `${group.name} x${group.slots}: ${parts.join(' ')}`
  })
}

function slot(graph: Graph, group: string, number: number): Record<string, number[]> {
  const found = couple(graph).groups.find(one => one.name === group)!
  return Object.fromEntries(
    entriesOf(found, number).map(({ axis, indices }) => [`${axis.value}[${axis.axis}]`, Array.from(indices)]),
  )
}

function reasons(graph: Graph): Record<string, string> {
  return Object.fromEntries(couple(graph).pinned.map(({ value, axis, reason }) => [`${value}[${axis}]`, reason]))
}

describe('coupled channel groups', () => {
  it('tie a layer to the one that reads it', () => {
    const mlp = net(['N', 5], ({ op, linear }, x) => linear('b', op.Relu([linear('a', x, 7)]), 3))
    expect(groupsOf(mlp)).toEqual(['a.weight x7: a.weight[0] a.bias[0] b.weight[1]'])
    expect(slot(mlp, 'a.weight', 4)).toMatchObject({ 'a.weight[0]': [4], 'a.bias[0]': [4], 'b.weight[1]': [4] })
  })

  it('keep what touches an input or an output of the graph, and say so', () => {
    const mlp = net(['N', 5], ({ op, linear }, x) => linear('b', op.Relu([linear('a', x, 7)]), 3))
    expect(reasons(mlp)).toMatchObject({
      'a.weight[1]': "'x' is an input of the graph",
      'b.weight[0]': expect.stringContaining('is an output of the graph'),
    })
  })

  it('take normalisation parameters along', () => {
    const plain = net(['N', 3, 8, 8], ({ op, conv, norm }, x) =>
      conv('b', op.Relu([norm('bn', conv('a', x, 6, { kernel: 3 }))]), 2),
    )
    expect(groupsOf(plain)).toEqual([
      'a.weight x6: a.weight[0] a.bias[0] bn.weight[0] bn.bias[0] bn.running_mean[0] bn.running_var[0] b.weight[1]',
    ])
  })

  it('join the branches of a residual sum, whatever its shortcut', () => {
    const residual = net(['N', 3, 8, 8], ({ op, conv }, x) => {
      const stem = op.Relu([conv('stem', x, 4)])
      const one = op.Relu([op.Add([conv('b', op.Relu([conv('a', stem, 5)]), 4), stem])])
      const two = op.Add([conv('d', op.Relu([conv('c', one, 6)]), 8), conv('shortcut', one, 8)])
      return conv('head', two, 2)
    })
    expect(groupsOf(residual)).toEqual([
      'stem.weight x4: stem.weight[0] stem.bias[0] a.weight[1] b.weight[0] b.bias[0] c.weight[1] shortcut.weight[1]',
      'a.weight x5: a.weight[0] a.bias[0] b.weight[1]',
      'c.weight x6: c.weight[0] c.bias[0] d.weight[1]',
      'd.weight x8: d.weight[0] d.bias[0] shortcut.weight[0] shortcut.bias[0] head.weight[1]',
    ])
  })

  it('stand side by side where they are concatenated', () => {
    const inception = net(['N', 3, 8, 8], ({ op, conv }, x) => {
      const both = op.Concat([conv('a', x, 4), conv('b', x, 6)], { axis: 1 })
      return conv('head', op.Relu([both]), 2)
    })
    expect(groupsOf(inception)).toEqual([
      'a.weight x4: a.weight[0] a.bias[0] head.weight[1]',
      'b.weight x6: b.weight[0] b.bias[0] head.weight[1]',
    ])
    expect(slot(inception, 'b.weight', 1)).toMatchObject({ 'b.weight[0]': [1], 'head.weight[1]': [5] })
  })

  it('come apart where a value is split', () => {
    const halves = net(['N', 3, 8, 8], ({ op, conv }, x) => {
      const [left, right] = op.many('Split', 2, [conv('a', x, 8), op.ints([3, 5])], { axis: 1 })
      return [conv('l', left!, 2), conv('r', right!, 2)]
    })
    expect(groupsOf(halves)).toEqual([
      'a.weight x3: a.weight[0] a.bias[0] l.weight[1]',
      'a.weight#2 x5: a.weight[0] a.bias[0] r.weight[1]',
    ])
    expect(slot(halves, 'a.weight#2', 0)).toMatchObject({ 'a.weight[0]': [3], 'r.weight[1]': [0] })
  })

  it('give each channel all of its positions where a map is flattened', () => {
    const flat = net(['N', 3, 4, 4], ({ op, conv, linear }, x) => linear('fc', op.Flatten([conv('a', x, 5)]), 3))
    expect(groupsOf(flat)).toEqual(['a.weight x5: a.weight[0] a.bias[0] fc.weight[1]'])
    expect(slot(flat, 'a.weight', 2)['fc.weight[1]']).toEqual(Array.from({ length: 16 }, (_, i) => 32 + i))
  })

  it('pass through depthwise convolutions', () => {
    const mobile = net(['N', 3, 8, 8], ({ op, conv }, x) => {
      const wide = op.Relu([conv('expand', x, 6)])
      return conv('project', op.Relu([conv('depthwise', wide, 6, { kernel: 3, group: 6 })]), 4)
    })
    expect(groupsOf(mobile)).toEqual([
      'expand.weight x6: expand.weight[0] expand.bias[0] depthwise.weight[0] depthwise.bias[0] project.weight[1]',
    ])
  })

  it('take as many channels from each group of a grouped convolution', () => {
    const grouped = net(['N', 3, 8, 8], ({ op, conv }, x) =>
      conv('c', op.Relu([conv('b', op.Relu([conv('a', x, 8)]), 12, { group: 2 })]), 2),
    )
    expect(groupsOf(grouped)).toEqual([
      'a.weight x4: a.weight[0] a.bias[0] b.weight[1]',
      'b.weight x6: b.weight[0] b.bias[0] c.weight[1]',
    ])
    expect(slot(grouped, 'a.weight', 1)).toMatchObject({ 'a.weight[0]': [1, 5], 'b.weight[1]': [1] })
    expect(slot(grouped, 'b.weight', 5)).toMatchObject({ 'b.weight[0]': [5, 11], 'c.weight[1]': [5, 11] })
  })

  it('hold through a channel shuffle', () => {
    const shuffled = net(['N', 3, 4, 4], ({ op, conv }, x) => {
      const a = conv('a', x, 6)
      const split = op.Reshape([a, op.ints([0, 2, 3, 4, 4])])
      const back = op.Reshape([op.Transpose([split], { perm: [0, 2, 1, 3, 4] }), op.ints([0, 6, 4, 4])])
      return conv('b', back, 2)
    })
    expect(groupsOf(shuffled)).toEqual(['a.weight x3: a.weight[0] a.bias[0] b.weight[1]'])
    expect(slot(shuffled, 'a.weight', 1)).toMatchObject({ 'a.weight[0]': [1, 4], 'b.weight[1]': [2, 3] })
  })

  it('reach the gates that are broadcast over a map', () => {
    const excited = net(['N', 3, 8, 8], ({ op, conv }, x) => {
      const a = conv('a', x, 6)
      const squeezed = op.Relu([conv('down', op.GlobalAveragePool([a]), 2)])
      return conv('head', op.Mul([a, op.Sigmoid([conv('up', squeezed, 6)])]), 2)
    })
    expect(groupsOf(excited)).toEqual([
      'a.weight x6: a.weight[0] a.bias[0] down.weight[1] up.weight[0] up.bias[0] head.weight[1]',
      'down.weight x2: down.weight[0] down.bias[0] up.weight[1]',
    ])
  })

  it('bind layers that share their weights', () => {
    const shared = net(['N', 4], ({ op, linear, parameter }, x) => {
      const w = parameter('shared', [6, 6])
      const first = op.Relu([op.Gemm([linear('a', x, 6), w])])
      return linear('b', op.Gemm([first, w]), 2)
    })
    expect(groupsOf(shared)).toEqual(['a.weight x6: a.weight[0] a.bias[0] shared[0] shared[1] b.weight[1]'])
  })

  it('feed every head of a trunk', () => {
    const heads = net(['N', 4], ({ op, linear }, x) => {
      const trunk = op.Relu([linear('a', x, 6)])
      return [linear('one', trunk, 2), linear('two', trunk, 3)]
    })
    expect(groupsOf(heads)).toEqual(['a.weight x6: a.weight[0] a.bias[0] one.weight[1] two.weight[1]'])
  })

  it('stop at operators that mix channels, with the reason', () => {
    const mixing = net(['N', 4], ({ op, linear }, x) => linear('b', op.Softmax([linear('a', x, 6)], { axis: -1 }), 2))
    expect(groupsOf(mixing)).toEqual([])
    expect(reasons(mixing)['a.weight[0]']).toMatch(/^Softmax/)
  })

  it('stop at operators that have no record, with the reason', () => {
    const plain = net(['N', 4], ({ op, linear }, x) => linear('b', op.Relu([linear('a', x, 6)]), 2))
    const strange = edit(plain, draft => {
      const relu = [...draft.nodes()].find(node => node.op === 'Relu')!
      draft.replace(relu, { ...relu, op: 'Unheard', domain: 'of' })
      for (const [name, type] of [[relu.outputs[0]!, { dtype: 'float32', shape: ['N', 6] }] as const])
        draft.types.set(name, type)
    })
    expect(groupsOf(strange)).toEqual([])
    expect(reasons(strange)['a.weight[0]']).toMatch(/of\.Unheard.*no record/)
  })

  it('pin only the channels that an operator needs, not their neighbours', () => {
    const tapped = net(['N', 3, 4, 4], ({ op, conv }, x) => {
      const [left, right] = op.many('Split', 2, [conv('a', x, 8), op.ints([3, 5])], { axis: 1 })
      return [left!, conv('r', right!, 2)]
    })
    expect(groupsOf(tapped)).toEqual(['a.weight x5: a.weight[0] a.bias[0] r.weight[1]'])
    expect(couple(tapped).pinned).toContainEqual(
      expect.objectContaining({ value: 'a.weight', axis: 0, size: 8, pinned: 3 }),
    )
  })

  it('leave alone a map whose width is computed with', () => {
    const scaled = net(['N', 4], ({ op, linear }, x) => {
      const a = linear('a', x, 6)
      const width = op.Cast([op.Gather([op.Shape([a]), op.ints([1])])], { to: 1 })
      return linear('b', op.Mul([a, width]), 2)
    })
    expect(groupsOf(scaled)).toEqual([])
    expect(reasons(scaled)['a.weight[0]']).toMatch(/^Mul.*computes with the size of/)
  })

  it('let a width go that only shapes other values', () => {
    const reshaped = net(['N', 4, 2], ({ op, parameter, linear }, x) => {
      const a = op.Gemm([op.Reshape([x, op.ints([-1, 8])]), parameter('a', [8, 6])])
      const same = op.Reshape([a, op.Shape([a])])
      return linear('b', same, 2)
    })
    expect(groupsOf(reshaped)).toEqual(['a x6: a[1] b.weight[1]'])
  })

  it('are not told apart on axes longer than anything can be', () => {
    const tiled = net([1, 4], ({ op, linear }, x) => op.Tile([linear('a', x, 6), op.ints([1, 2 ** 40])]))
    expect(groupsOf(tiled)).toEqual([])
    expect(reasons(tiled)['a.weight[0]']).toMatch(/'tile', axis 1, is \d+, more than are told apart/)
  })

  it('end at an axis of a symbol that a Reshape leaves nothing of', () => {
    const single = net(['N', 2, 'T', 6], ({ op, linear }, x) => linear('b', op.Reshape([x, op.ints([0, 2, 3, 2])]), 4))
    expect(groupsOf(single)).toEqual([])
  })

  it('are computed once for a graph', () => {
    const mlp = net(['N', 5], ({ linear }, x) => linear('b', linear('a', x, 7), 3))
    expect(couple(mlp)).toBe(couple(mlp))
  })
})
