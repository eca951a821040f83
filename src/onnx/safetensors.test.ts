import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tensor as anyTensor } from '../../test/support/arbitrary-graph.ts'
import { SinterError } from '../base/errors.ts'
import { bytesOf, float32s, fromNumbers, type Tensor, tensor } from '../base/tensor.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'

/** A file with a header as given, and some bytes of data. */
function fileOf(header: unknown, data = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const file = new Uint8Array(8 + text.length + data)
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true)
  file.set(text, 8)
  return file
}

const entry = (shape: unknown, offsets: unknown, dtype: unknown = 'F32') => ({ dtype, shape, data_offsets: offsets })

describe('safetensors', () => {
  test('give back tensors, names and texts as they were', () => {
    const kept = anyTensor.filter(({ dtype }) => !/string|complex|float8|float4|int4|int2/.test(dtype))
    const names = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '0', ''))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(names, kept)).map(all => new Map(all)),
        fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
        (tensors, metadata) => {
          tensors.delete('__metadata__')
          const back = decodeSafetensors(encodeSafetensors({ tensors, metadata }))
          expect(Object.entries(back.metadata)).toEqual(Object.entries(metadata))
          expect(new Set(back.tensors.keys())).toEqual(new Set(tensors.keys()))
          for (const [name, { dtype, shape, data }] of tensors) {
            const found = back.tensors.get(name)!
            expect([found.dtype, found.shape]).toEqual([dtype, shape])
            expect(bytesOf(found)).toEqual(new Uint8Array(bytesOf({ dtype, shape, data })))
          }
        },
      ),
      { seed: 1 },
    )
  })

  test('are read from wherever in memory they lie, a Buffer among other bytes included', () => {
    const tensors = new Map<string, Tensor>([
      ['a', float32s([3], [1, 2, 3])],
      ['b', fromNumbers('float64', [1], [4])],
    ])
    const file = encodeSafetensors({ tensors, metadata: {} })
    for (let start = 0; start < 9; start++) {
      const around = Buffer.alloc(file.length + start)
      around.set(file, start)
      expect(decodeSafetensors(around.subarray(start)).tensors).toEqual(new Map([...tensors].reverse()))
    }
    // Others do not align their headers.
    const other = Buffer.from(fileOf(`${JSON.stringify({ x: entry([1], [0, 8], 'F64') })} `, 8))
    expect(decodeSafetensors(other).tensors.get('x')).toEqual(fromNumbers('float64', [1], [0]))
  })

  test('begin every tensor at a multiple of its element size, without a copy when read', () => {
    const tensors = new Map<string, Tensor>([
      ['bytes', tensor('uint8', [3], Uint8Array.of(1, 2, 3))],
      ['wide', fromNumbers('float64', [1], [4])],
    ])
    const file = encodeSafetensors({ tensors, metadata: { odd: 'x' } })
    const wide = decodeSafetensors(file).tensors.get('wide')!
    expect((wide.data as Float64Array).buffer).toBe(file.buffer)
  })

  test('are refused for what the format has no place for', () => {
    const refused = (name: string, value: Parameters<typeof tensor>) =>
      expect(() => encodeSafetensors({ tensors: new Map([[name, tensor(...value)]]), metadata: {} })).toThrow(
        expect.objectContaining({ code: 'not-supported' }),
      )
    refused('text', ['string', [1], ['a']])
    refused('__metadata__', ['float32', [0], new Float32Array(0)])
  })
})

describe('a file that is no safetensors is refused, never a crash:', () => {
  test.each<readonly [string, Uint8Array]>([
    ['empty', new Uint8Array(0)],
    ['shorter than its header', fileOf({}).subarray(0, 9)],
    ['a header length beyond all', new Uint8Array(8).fill(255)],
    ['not JSON', fileOf('{"a":')],
    ['not UTF-8', fileOf('{}').map((byte, i) => (i === 8 ? 0xff : byte))],
    ['a list', fileOf([])],
    ['null', fileOf('null')],
    ['null for metadata', fileOf({ __metadata__: null })],
    ['numbers for metadata', fileOf({ __metadata__: { a: 1 } })],
    ['an entry that is null', fileOf({ a: null })],
    ['an unheard type', fileOf({ a: entry([1], [0, 4], 'F31') }, 4)],
    ['a negative size', fileOf({ a: entry([-1], [0, 4]) }, 4)],
    ['a broken size', fileOf({ a: entry([0.5], [0, 2]) }, 2)],
    ['sizes whose product is beyond all', fileOf({ a: entry([2 ** 52, 2 ** 52], [0, 4]) }, 4)],
    ['offsets that are texts', fileOf({ a: entry([1], ['0', '4']) }, 4)],
    ['data beyond the end', fileOf({ a: entry([2], [0, 8]) }, 4)],
    ['fewer bytes than the shape asks for', fileOf({ a: entry([2], [0, 4]) }, 4)],
    ['two tensors on one place', fileOf({ a: entry([1], [0, 4]), b: entry([1], [0, 4]) }, 4)],
    ['bytes between tensors', fileOf({ a: entry([1], [0, 4]), b: entry([1], [8, 12]) }, 12)],
    ['bytes behind the tensors', fileOf({ a: entry([1], [0, 4]) }, 5)],
  ])('%s', (_, file) => {
    expect(() => decodeSafetensors(file, 'm.safetensors')).toThrow(
      expect.objectContaining({ code: 'invalid-data', message: expect.stringContaining('m.safetensors') }),
    )
  })

  test('cut short anywhere', () => {
    const file = encodeSafetensors({ tensors: new Map([['a', float32s([2], [1, 2])]]), metadata: { k: 'v' } })
    for (let length = 0; length < file.length; length++)
      expect(() => decodeSafetensors(file.subarray(0, length))).toThrow(SinterError)
  })
})
