import { describe, expect, test } from 'vitest'
import { float32s, fromNumbers, numbers, type Tensor } from '../base/tensor.ts'
import { emptyGraph } from '../graph/graph.ts'
import { extend } from '../read/extend.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { emptySlab, join, pack, slabsOf, split, unpack } from './state.ts'

const small = new Map<string, Tensor>([
  ['a', float32s([2, 2], [1, 2, 3, 4])],
  ['b', float32s([1], [5])],
  ['none', float32s([0, 3], [])],
  ['c', float32s([3], [6, 7, 8])],
])

describe('slabs', () => {
  test('hold small tensors together and large ones alone', () => {
    const large = float32s([256, 256], new Float32Array(65536))
    const slabs = slabsOf('s', [...small, ['large', large]])
    expect(slabs.map(({ name, shape }) => [name, shape])).toEqual([
      ['s/large', [256, 256]],
      ['s', [8]],
    ])
    expect(pack(slabs[0]!, () => large)).toBe(large)
  })

  test('are apart, and have names of their own, for each element type', () => {
    const slabs = slabsOf('s', [...small, ['wide', fromNumbers('float64', [1], [1])]])
    expect(slabs.map(({ dtype }) => dtype)).toEqual(['float32', 'float64'])
    expect(new Set(slabs.map(({ name }) => name)).size).toBe(2)
  })

  test('give back what was packed, without a copy', () => {
    const [slab] = slabsOf('s', [...small])
    const packed = pack(slab!, name => small.get(name)!)
    expect(Array.from(numbers(packed))).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    const back = new Map(unpack(slab!, packed))
    expect(back).toEqual(small)
    expect((back.get('c')!.data as Float32Array).buffer).toBe((packed.data as Float32Array).buffer)
    expect(Array.from(numbers(emptySlab(slab!)))).toEqual(new Array(8).fill(0))
  })

  test.each([1, 2, 4])('are split and joined by nodes as they are by hand (%i tensors)', async count => {
    const [slab] = slabsOf('s', [...small].slice(0, count))
    const start = {
      ...emptyGraph('g'),
      inputs: [{ name: 's', type: { dtype: 'float32' as const, shape: slab!.shape } }],
    }
    const graph = extend(start, (op, draft) => {
      const parts = split(op, slab!, 's')
      expect(parts.map(part => op.shape(part))).toEqual(slab!.holds.map(({ shape }) => shape))
      const doubled = parts.map(part => op.Add([part, part]))
      const joined = join(op, slab!, doubled)
      draft.outputs.push({ name: joined, type: op.type(joined) })
    })
    await using session = await onnxruntimeNode.open(graph)
    const packed = pack(slab!, name => small.get(name)!)
    const results = await session.run({ s: packed })
    const [output] = Object.values(results)
    expect(Array.from(numbers(output!))).toEqual(Array.from(numbers(packed), value => 2 * value))
  })
})
