import { describe, expect, it } from 'vitest'
import { randomFeeds } from '../../test/support/same-outputs.ts'
import { couple } from '../read/coupling.ts'
import { type Net, net } from '../read/testing/nets.ts'
import { dropBlock, insideBlocks, residualBlocks } from './drop-blocks.ts'
import { distance, run } from './testing/run.ts'

function basic({ op, conv }: Net, name: string, x: string, channels: number, stride = 1): string {
  const first = op.Relu([conv(`${name}.conv1`, x, channels + 2, { kernel: 3, stride })])
  const second = conv(`${name}.conv2`, first, channels, { kernel: 3 })
  const skip = stride > 1 ? conv(`${name}.shortcut`, x, channels, { stride }) : x
  return op.Relu([op.Add([second, skip])])
}

function resnet(keep: readonly string[] = ['one.0', 'one.1', 'two.0', 'two.1']) {
  return net(['N', 3, 8, 8], (tools, x) => {
    let y = tools.op.Relu([tools.conv('stem', x, 4, { kernel: 3 })])
    if (keep.includes('one.0')) y = basic(tools, 'one.0', y, 4)
    if (keep.includes('one.1')) y = basic(tools, 'one.1', y, 4)
    y = basic(tools, 'two.0', y, 6, 2)
    if (keep.includes('two.1')) y = basic(tools, 'two.1', y, 6)
    return tools.linear('fc', tools.op.Flatten([tools.op.GlobalAveragePool([y])]), 3)
  })
}

describe('residual blocks', () => {
  it('are listed by the name that their parameters share, with what they cost', () => {
    const found = residualBlocks(resnet())
    expect(found.map(block => [block.name, block.removable])).toEqual([
      ['one.0', true],
      ['one.1', true],
      ['two.0', false],
      ['two.1', true],
    ])
    expect(found[0]).toMatchObject({ nodes: 4, parameters: 4 * 6 * 9 + 6 + 6 * 4 * 9 + 4, macs: 2 * 64 * 4 * 6 * 9 })
    expect(found[2]!.reason).toMatch(/changes the shape from \[N,4,8,8\] to \[N,6,4,4\]/)
  })

  it('are dropped as if they had never been there', async () => {
    const whole = resnet()
    const feeds = randomFeeds(whole, 5)
    const without = dropBlock(whole, 'one.1')
    expect(without.initializers.size).toBe(whole.initializers.size - 4)
    const expected = await run(resnet(['one.0', 'two.0', 'two.1']), feeds)
    const names = Object.keys(expected)
    const actual = await run(without, feeds)
    expect(distance(expected, { [names[0]!]: Object.values(actual)[0]! })).toBeLessThan(1e-6)
  })

  it('can be dropped one after the other', () => {
    const bare = ['one.0', 'one.1', 'two.1'].reduce((graph, name) => dropBlock(graph, name), resnet())
    expect(residualBlocks(bare).map(block => block.name)).toEqual(['two.0'])
  })

  it('are refused by name if they change the shape, or are not there', () => {
    expect(() => dropBlock(resnet(), 'two.0')).toThrow(/'two.0' cannot be dropped: it changes the shape/)
    expect(() => dropBlock(resnet(), 'three')).toThrow(/No residual block is called 'three'/)
  })

  it('may have a projection that keeps the shape', () => {
    const projected = net(['N', 3, 6, 6], ({ op, conv }, x) => {
      const stem = conv('stem', x, 4)
      return conv('head', op.Add([conv('b.main', op.Relu([stem]), 4), conv('b.skip', stem, 4)]), 2)
    })
    expect(residualBlocks(projected)).toMatchObject([{ name: 'b', removable: true }])
    expect(dropBlock(projected, 'b').nodes.map(node => node.op)).toEqual(['Conv', 'Conv'])
  })

  it('are not those whose inside is read from elsewhere', () => {
    const tapped = net(['N', 3, 6, 6], ({ op, conv }, x) => {
      const stem = conv('stem', x, 4)
      const inner = op.Relu([conv('b.main', stem, 4)])
      const sum = op.Add([conv('b.more', inner, 4), stem])
      return conv('head', op.Concat([sum, inner], { axis: 1 }), 2)
    })
    expect(residualBlocks(tapped)).toEqual([])
  })

  it('are not sums with a bias', () => {
    const biased = net(['N', 4], ({ op, linear, parameter }, x) => op.Add([linear('a', x, 3), parameter('bias', [3])]))
    expect(residualBlocks(biased)).toEqual([])
  })

  it('may read a mask or a condition from elsewhere', () => {
    const conditioned = net(['N', 4], ({ op, linear }, x) => {
      const stem = linear('stem', x, 5)
      const gate = op.Sigmoid([linear('gate', x, 5)])
      return linear('head', op.Add([stem, op.Mul([linear('b', stem, 5), gate])]), 2)
    })
    expect(residualBlocks(conditioned)).toMatchObject([{ nodes: 3, removable: true }])
    const without = dropBlock(conditioned, residualBlocks(conditioned)[0]!)
    expect(without.nodes.map(node => node.op)).toEqual(['Gemm', 'Gemm'])
  })

  it('may stand inside of one another', () => {
    const nested = net(['N', 4], ({ op, linear }, x) => {
      const stem = linear('stem', x, 5)
      const inner = op.Add([linear('o.i.a', stem, 5), stem])
      return linear('head', op.Add([linear('o.b', inner, 5), stem]), 2)
    })
    expect(residualBlocks(nested).map(block => block.name)).toHaveLength(2)
    expect(residualBlocks(nested).every(block => block.removable)).toBe(true)
  })

  it('bound a pruning to the channels inside of them', () => {
    const graph = resnet()
    const inside = couple(graph).groups.filter(insideBlocks(graph))
    expect(inside.map(group => group.name)).toEqual([
      'one.0.conv1.weight',
      'one.1.conv1.weight',
      'two.0.conv1.weight',
      'two.1.conv1.weight',
    ])
  })
})
