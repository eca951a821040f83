import { describe, expect, it, vi } from 'vitest'
import { refusalOf } from '../../test/support/onnx-message.ts'
import { lazyTensor, type Tensor, zeros } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { node } from '../graph/edit.ts'
import { type Attribute, emptyGraph, type Graph } from '../graph/graph.ts'
import { decode } from './decode.ts'
import { encode, encodePieces } from './encode.ts'
import { layOut } from './external.ts'

function graphWith(tensors: Record<string, Tensor>): Graph {
  return { ...emptyGraph('g'), irVersion: 10, initializers: new Map(Object.entries(tensors)) }
}

function withAttribute(a: Attribute): Graph {
  return { ...emptyGraph('g'), nodes: [node({ op: 'Op', inputs: [], outputs: ['y'], attributes: { a } })] }
}

describe('encode', () => {
  it('hands tensors on by reference, however deep they lie', () => {
    const weight = { ...zeros('float32', [1000]), data: new Float32Array(1000).fill(1) }
    const body = { ...emptyGraph('body'), initializers: new Map([['b', weight]]) }
    const constant = node({
      op: 'Constant',
      inputs: [],
      outputs: ['c'],
      attributes: { value: attribute.tensor(weight) },
    })
    const branch = node({ op: 'If', inputs: ['c'], outputs: ['y'], attributes: { then_branch: attribute.graph(body) } })
    const small = zeros('int64', [2])
    const graph = {
      ...graphWith({ a: weight, s: small, z: weight }),
      nodes: [constant, branch, { ...constant, outputs: ['d'] }],
    }
    const { pieces, byteLength } = encodePieces(graph)
    expect(pieces.filter(piece => piece.buffer === weight.data.buffer)).toHaveLength(5)
    expect(pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(byteLength)
    const again = decode(encode(graph))
    expect([...again.initializers.keys()]).toEqual(['a', 's', 'z'])
    expect(again.nodes.map(n => n.outputs)).toEqual([['c'], ['y'], ['d']])
    expect(again.initializers.get('z')).toEqual(weight)
  })

  it('gives a graph made here the version of the format that came with its opset', () => {
    expect(decode(encode(emptyGraph('g'))).irVersion).toBe(10)
    expect(decode(encode({ ...emptyGraph('g'), opset: { '': 13 } })).irVersion).toBe(8)
    expect(decode(encode({ ...emptyGraph('g'), opset: { '': 26 } })).irVersion).toBe(13)
  })

  it('lowers a version of the format that the opset does not need', () => {
    const stamped = (opset: number) =>
      decode(encode({ ...emptyGraph('g'), irVersion: 14, opset: { '': opset } })).irVersion
    expect([13, 21, 23, 26, 28].map(stamped)).toEqual([10, 10, 11, 13, 14])
    expect(decode(encode({ ...emptyGraph('g'), irVersion: 9, opset: { '': 26 } })).irVersion).toBe(9)
  })

  it('raises an old version of the format where initializers are no inputs', () => {
    const old = { ...graphWith({ w: zeros('float32', [1]) }), irVersion: 3 }
    const listed = { ...old, inputs: [{ name: 'w', type: { dtype: 'float32' as const, shape: [1] } }] }
    expect(decode(encode(old)).irVersion).toBe(4)
    expect(decode(encode(listed)).irVersion).toBe(3)
  })

  it('refuses what no file can say, with the place', () => {
    const refusal = (graph: Graph) => {
      const error = refusalOf(() => encode(graph))
      expect(error.code).toBe('invalid-graph')
      return error.message
    }
    const short = { dtype: 'float32', shape: [3], data: new Float32Array(2) } as const
    expect(refusal(graphWith({ w: short }))).toContain(
      "The graph 'g': the initializer 'w' cannot be written: it holds 8 bytes where float32[3] has 12",
    )
    expect(refusal(graphWith({ w: { ...short, shape: [-1] } }))).toContain('a dimension of size -1')
    expect(refusal(withAttribute({ type: 'int', value: 0.5 }))).toContain("Op that makes 'y', attribute 'a'")
    expect(refusal(withAttribute({ type: 'int', value: 2n ** 63n }))).toContain('beyond int64')
    expect(refusal(withAttribute({ type: 'floats', value: [1e300] }))).toContain('beyond float32')
    const type = { dtype: 'float32', shape: [0.5] } as const
    expect(refusal({ ...emptyGraph('g'), inputs: [{ name: 'x', type }] })).toContain("the input 'x' cannot be written")
    expect(refusal({ ...emptyGraph('g'), opset: { '': 1.5 } })).toContain("operator set ''")
    expect(refusal({ ...emptyGraph('g'), modelExtra: { unknown: Uint8Array.of(1) } })).toContain('ModelProto')
  })

  it('keeps numbers that float32 has only nearly, infinity and NaN', () => {
    const values = [0.1, Number.POSITIVE_INFINITY, Number.NaN, -0]
    const { attributes } = decode(encode(withAttribute({ type: 'floats', value: values }))).nodes[0]!
    expect(attributes.a).toEqual({ type: 'floats', value: values.map(Math.fround) })
  })

  it('refuses a model beyond 2 GiB before allocating it', () => {
    const data = new Float32Array(2 ** 26)
    const weight: Tensor = { dtype: 'float32', shape: [2 ** 26], data }
    const names = Array.from({ length: 9 }, (_, i) => [`w${i}`, weight])
    expect(refusalOf(() => encode(graphWith(Object.fromEntries(names)))).code).toBe('not-supported')
  })
})

describe('external data', () => {
  it('is laid out at whole pages, each tensor once, small ones and texts left in the model', () => {
    const [a, b] = [zeros('float32', [2000]), zeros('uint8', [5000])]
    const constant = node({ op: 'Constant', inputs: [], outputs: ['c'], attributes: { value: attribute.tensor(b) } })
    const texts: Tensor = { dtype: 'string', shape: [1], data: ['x'.repeat(9999)] }
    const graph = { ...graphWith({ a, again: a, small: zeros('int64', [4]), texts }), nodes: [constant] }
    const layout = layOut(graph)
    expect([...layout.ranges]).toEqual([
      [a, { offset: 0, length: 8000 }],
      [b, { offset: 8192, length: 5000 }],
    ])
    expect(layout.byteLength).toBe(13192)
    expect(layOut(graph, { threshold: 32 }).ranges.size).toBe(3)
  })

  it('is referred to by the model and read back from the same ranges', () => {
    const weight: Tensor = { dtype: 'int64', shape: [1024], data: new BigInt64Array(1024).fill(7n) }
    const graph = graphWith({ first: zeros('float32', [1024]), weight })
    const { ranges, byteLength } = layOut(graph)
    const file = new Uint8Array(byteLength)
    for (const [{ data }, { offset }] of ranges)
      file.set(new Uint8Array((data as Float32Array).buffer as ArrayBuffer), offset)
    const bytes = encode(graph, { external: { location: 'w.data', ranges } })
    expect(bytes.length).toBeLessThan(300)
    const external = vi.fn((_location: string) => file)
    const again = decode(bytes, { external })
    expect(external.mock.calls).toEqual([['w.data'], ['w.data']])
    expect(again.initializers.get('weight')).toEqual(weight)
  })

  it('is not read to be laid out', () => {
    const lazy = lazyTensor('float32', [4096], () => {
      throw new Error('read')
    })
    expect(layOut(graphWith({ lazy })).byteLength).toBe(16384)
  })
})
