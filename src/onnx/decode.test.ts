import type { MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, it, vi } from 'vitest'
import { modelBytes, refusalOf, type TensorInit } from '../../test/support/onnx-message.ts'
import { type DType, dtypes } from '../base/dtype.ts'
import type { Tensor } from '../base/tensor.ts'
import { decode } from './decode.ts'
import { dataTypeOf } from './dtypes.ts'
import {
  type AttributeProto,
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  TensorProto_DataLocation,
} from './generated/onnx_pb.ts'

type AttributeInit = Exclude<MessageInitShape<typeof AttributeProtoSchema>, AttributeProto>

function decodeOne(tensor: TensorInit): Tensor {
  return decode(modelBytes({ initializer: [{ name: 't', ...tensor }] })).initializers.get('t')!
}

/** The message of the error that decoding gives. */
function refusal(bytes: Uint8Array, code = 'invalid-model'): string {
  const error = refusalOf(() => decode(bytes))
  expect(error.code).toBe(code)
  return error.message
}

describe('tensors', () => {
  it('of each type are read from raw bytes', () => {
    const packed: Partial<Record<DType, number>> = { int4: 2, uint4: 2, float4e2m1: 2, int2: 1, uint2: 1 }
    for (const dtype of dtypes.filter(d => d !== 'string')) {
      const wide = dtype.match(/complex128/)
        ? 16
        : dtype.match(/64/)
          ? 8
          : dtype.match(/32/)
            ? 4
            : dtype.match(/16$/)
              ? 2
              : 1
      const rawData = Uint8Array.from({ length: packed[dtype] ?? 3 * wide }, (_, i) => i + 1)
      const t = decodeOne({ dims: [3n], dataType: dataTypeOf(dtype), rawData })
      expect(t).toMatchObject({ dtype, shape: [3] })
      const { buffer, byteOffset, byteLength } = t.data as Uint8Array
      expect(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength), dtype).toEqual(rawData)
    }
  })

  it('of each type are read from the list that the standard has for it', () => {
    const cases: readonly [DType, TensorInit, ArrayLike<number | bigint>][] = [
      ['float32', { floatData: [1.5, -2] }, [1.5, -2]],
      ['complex64', { floatData: [1, 2, 3, 4] }, [1, 2, 3, 4]],
      ['float64', { doubleData: [0.1, -1e300] }, [0.1, -1e300]],
      ['complex128', { doubleData: [1, 2, 3, 4] }, [1, 2, 3, 4]],
      ['int64', { int64Data: [-(2n ** 63n), 2n ** 63n - 1n] }, [-(2n ** 63n), 2n ** 63n - 1n]],
      ['uint64', { uint64Data: [0n, 2n ** 64n - 1n] }, [0n, 2n ** 64n - 1n]],
      ['uint32', { uint64Data: [7n, 2n ** 32n - 1n] }, [7, 2 ** 32 - 1]],
      ['int32', { int32Data: [-(2 ** 31), 2 ** 31 - 1] }, [-(2 ** 31), 2 ** 31 - 1]],
      ['int16', { int32Data: [-32768, 32767] }, [-32768, 32767]],
      ['uint16', { int32Data: [0, 65535] }, [0, 65535]],
      ['int8', { int32Data: [-128, 200] }, [-128, -56]],
      ['uint8', { int32Data: [0, 255] }, [0, 255]],
      ['bool', { int32Data: [2, 0] }, [1, 0]],
      ['float16', { int32Data: [0x3c00, 0xc000] }, [0x3c00, 0xc000]],
      ['bfloat16', { int32Data: [0x3f80, 0xffff] }, [0x3f80, 0xffff]],
      ['float8e4m3fn', { int32Data: [1, 255] }, [1, 255]],
      ['int4', { int32Data: [0x21] }, [0x21]],
      ['uint2', { int32Data: [0x0e] }, [0x0e]],
    ]
    for (const [dtype, lists, expected] of cases) {
      const t = decodeOne({ dims: [2n], dataType: dataTypeOf(dtype), ...lists })
      expect(Array.from(t.data as ArrayLike<number>), dtype).toEqual(expected)
    }
  })

  it('of strings are text', () => {
    const utf8 = new TextEncoder()
    const t = decodeOne({
      dims: [2n],
      dataType: DataType.STRING,
      stringData: [utf8.encode('\ufeffé'), utf8.encode('')],
    })
    expect(t).toEqual({ dtype: 'string', shape: [2], data: ['\ufeffé', ''] })
  })

  it('are views on the bytes of the file where those are aligned', () => {
    const rawData = new Uint8Array(8)
    const seen = new Set<boolean>()
    for (let pad = 0; pad < 4; pad++) {
      const bytes = modelBytes({
        name: 'x'.repeat(pad),
        initializer: [{ name: 't', dims: [2n], dataType: 1, rawData }],
      })
      const { buffer } = decode(bytes).initializers.get('t')!.data as Float32Array
      seen.add(buffer === bytes.buffer)
    }
    expect(seen).toEqual(new Set([true, false]))
  })

  it('in lists that are not packed are read, too', () => {
    // Field 4 of a tensor, a float: 1 and 2, one by one.
    const floats = [0x25, 0, 0, 0x80, 0x3f, 0x25, 0, 0, 0, 0x40]
    const tensor = [0x08, 2, 0x10, 1, 0x42, 1, 0x74, ...floats]
    const graph = [0x2a, tensor.length, ...tensor]
    const bytes = Uint8Array.of(0x08, 10, 0x42, 2, 0x10, 21, 0x3a, graph.length, ...graph)
    expect(decode(bytes).initializers.get('t')).toEqual({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) })
  })

  it('that contradict themselves are refused with their place', () => {
    const broken = (t: TensorInit) => refusal(modelBytes({ initializer: [{ name: 'w', dataType: 1, ...t }] }))
    expect(broken({ dims: [3n], rawData: new Uint8Array(8) })).toContain(
      "graph.initializer[0] 'w' holds 8 bytes where float32[3] has 12",
    )
    expect(broken({ dims: [3n], floatData: [1] })).toContain('holds 1 values where float32[3] has 3')
    expect(broken({ dims: [-1n] })).toContain('a dimension of size -1')
    expect(broken({ dims: [2n ** 40n, 2n ** 40n] })).toContain('claims more elements than any file holds')
    expect(broken({ dims: [2n ** 62n, 0n] })).toContain('a dimension of size 4611686018427387904')
    expect(broken({ dims: [1n], int32Data: [1] })).toContain('holds its data in int32_data instead of float_data')
    expect(broken({ dims: [1n], floatData: [1], rawData: new Uint8Array(4) })).toContain('twice, raw and typed')
    expect(broken({ dims: [1n], dataType: 99 })).toContain('unknown element type, 99')
    expect(broken({ dims: [1n], dataType: 0 })).toContain('no element type')
    expect(broken({ dims: [1n], dataType: 8, stringData: [Uint8Array.of(0xff)] })).toContain('not valid UTF-8')
    expect(broken({ dims: [1n], dataType: 8, rawData: new Uint8Array(4) })).toContain('holds 0 strings')
    expect(refusal(modelBytes({ initializer: [{ name: 'w', dims: [1n], dataType: 27 }] }), 'not-supported')).toContain(
      '6-bit',
    )
    const twice = { name: 'w', dims: [0n], dataType: 1 }
    expect(refusal(modelBytes({ initializer: [twice, twice] }))).toContain(
      "initializer[1] 'w' is the second initializer",
    )
    expect(refusal(modelBytes({ initializer: [{ ...twice, name: '' }] }))).toContain('initializer[0] has no name')
  })
})

describe('attributes', () => {
  const attribute = (a: AttributeInit) => {
    const bytes = modelBytes({ node: [{ opType: 'Op', name: 'n', attribute: [{ name: 'a', ...a }] }] })
    return decode(bytes).nodes[0]!.attributes.a
  }
  const broken = (a: AttributeInit) =>
    refusal(modelBytes({ node: [{ opType: 'Op', name: 'n', attribute: [{ name: 'a', ...a }] }] }))

  it('without a type, as the first version of the format had them, take it from their value', () => {
    expect(attribute({ i: 3n })).toEqual({ type: 'int', value: 3 })
    expect(attribute({ floats: [1, 2] })).toEqual({ type: 'floats', value: [1, 2] })
  })

  it('that are zero need not stand in the file', () => {
    expect(attribute({ type: 2 })).toEqual({ type: 'int', value: 0 })
    expect(attribute({ type: 3 })).toEqual({ type: 'string', value: '' })
    expect(attribute({ type: 7 })).toEqual({ type: 'ints', value: [] })
  })

  it('keep integers exact and texts that are not UTF-8 as bytes', () => {
    expect(attribute({ type: 7, ints: [-1n, 2n ** 53n] })).toEqual({ type: 'ints', value: [-1, 2n ** 53n] })
    expect(attribute({ type: 3, s: Uint8Array.of(0xff) })).toEqual({ type: 'bytes', value: Uint8Array.of(0xff) })
  })

  it('that contradict themselves are refused with their place', () => {
    expect(broken({ type: 2, f: 1 })).toContain("graph.node[0] 'n'.attribute[0] 'a' holds a value in 'f'")
    expect(broken({})).toContain('neither a type nor a value')
    expect(broken({ type: 4 })).toContain('lacks the value')
    expect(broken({ type: 2, refAttrName: 'b' })).toContain('but is in none')
    const twice = [0n, 1n].map(i => ({ name: 'a', type: AttributeType.INT, i }))
    expect(refusal(modelBytes({ node: [{ opType: 'Op', attribute: twice }] }))).toContain(
      'the second attribute of that name',
    )
    expect(refusal(modelBytes({ node: [{ name: 'n' }] }))).toContain("graph.node[0] 'n' names no operator")
  })
})

describe('a model', () => {
  it("has '' for the standard's domain, and unknown dimensions as ''", () => {
    const dim = [
      { value: { case: 'dimParam' as const, value: 'N' } },
      {},
      { value: { case: 'dimValue' as const, value: -1n } },
    ]
    const type = { value: { case: 'tensorType' as const, value: { elemType: 1, shape: { dim } } } }
    const graph = decode(
      modelBytes(
        { input: [{ name: 'x', type }], node: [{ opType: 'Relu', domain: 'ai.onnx' }] },
        { opsetImport: [{ domain: 'ai.onnx', version: 7n }] },
      ),
    )
    expect(graph.opset).toEqual({ '': 7 })
    expect(graph.nodes[0]!.domain).toBe('')
    expect(graph.inputs[0]!.type).toEqual({ dtype: 'float32', shape: ['N', '', ''] })
  })

  it('of the first versions of the format means the first operator set', () => {
    expect(decode(modelBytes({ name: 'g' }, { irVersion: 1n, opsetImport: [] })).opset).toEqual({ '': 1 })
    expect(refusal(modelBytes({ name: 'g' }, { opsetImport: [] }))).toContain('opset_import is missing')
  })

  it('has its nodes in an order in which they can run', () => {
    const node = [
      { opType: 'B', input: ['a'], output: ['b'] },
      { opType: 'A', input: ['x'], output: ['a'] },
    ]
    expect(decode(modelBytes({ node })).nodes.map(n => n.op)).toEqual(['A', 'B'])
  })

  it('needs a resolver for external data, and reads it when it is used', () => {
    const external = (entries: Record<string, string>) => ({
      initializer: [
        {
          name: 'w',
          dims: [2n],
          dataType: 1,
          dataLocation: TensorProto_DataLocation.EXTERNAL,
          externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
        },
      ],
    })
    const bytes = modelBytes(external({ location: 'w.bin', offset: '4', length: '8' }))
    expect(refusal(bytes, 'invalid-argument')).toContain("'w.bin'")
    const file = new Uint8Array(Float32Array.of(9, 1, 2).buffer)
    const read = vi.fn((from: number, length: number) => file.slice(from, from + length))
    const tensor = decode(bytes, { external: () => ({ byteLength: 12, read }) }).initializers.get('w')!
    expect(read).not.toHaveBeenCalled()
    expect(tensor.data).toEqual(Float32Array.of(1, 2))
    expect(structuredClone(tensor)).toEqual({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) })
    const refused = (entries: Record<string, string>) => {
      expect(() => decode(modelBytes(external(entries)), { external: () => file })).toThrow(
        /graph.initializer\[0\] 'w'/,
      )
    }
    refused({ location: 'w.bin', offset: '8' })
    refused({ location: 'w.bin', length: '12' })
    refused({ location: 'w.bin', offset: '-4' })
    refused({ location: 'w.bin', offset: '1e3' })
    refused({ offset: '0' })
  })
})
