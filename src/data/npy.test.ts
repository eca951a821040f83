import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { numbers } from '../base/tensor.ts'
import golden from './goldens/numpy-files.json' with { type: 'json' }
import { parseNpy, parseNpz } from './npy.ts'

const decode = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const header = (text: string, ...rest: number[]) => {
  const body = new TextEncoder().encode(text)
  return Uint8Array.from([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, body.length, 0, ...body, ...rest])
}

describe('parseNpy', () => {
  test.each(golden.npy)('reads what NumPy $versions wrote: $name', ({ dtype, shape, values, npy }) => {
    const read = parseNpy(decode(npy), 'x.npy')
    expect(read).toMatchObject({ dtype, shape })
    const complex = dtype.startsWith('complex')
    expect(Array.from(complex ? (read.data as Float32Array) : numbers(read))).toEqual(values)
  })

  test('refuses text with a reason', () => {
    expect(() => parseNpy(decode(golden.text), 'x.npy')).toThrow(expect.objectContaining({ code: 'not-supported' }))
    expect(() => parseNpy(decode(golden.text), 'x.npy')).toThrow(/^x\.npy holds '<U1'/)
  })

  test.each([
    ['nothing', new Uint8Array(0), /does not start/],
    ['another format', new TextEncoder().encode('just some text'), /does not start/],
    ['an unknown version', header('').fill(9, 6, 7), /version is 9/],
    ['a header cut short', decode(golden.npy[0]!.npy).subarray(0, 40), /ends within its header/],
    ['data cut short', decode(golden.npy[0]!.npy).subarray(0, -1), /takes 96 bytes, but 95/],
    ['trailing data', header("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", 1, 2), /but 2 follow/],
    ['a header without a shape', header("{'descr': '|u1', 'fortran_order': False}"), /not understood/],
    [
      'a size beyond counting',
      header("{'descr': '|u1', 'fortran_order': False, 'shape': (9007199254740991, 9007199254740991)}"),
      /impossible/,
    ],
    ['a size beyond memory', header("{'descr': '<f8', 'fortran_order': True, 'shape': (1099511627776,)}"), /takes/],
  ])('refuses %s', (_, bytes, reason) => {
    expect(() => parseNpy(bytes, 'x.npy')).toThrow(reason)
    expect(() => parseNpy(bytes, 'x.npy')).toThrow(expect.objectContaining({ code: 'invalid-data' }))
  })
})

describe('parseNpz', () => {
  test.each(Object.entries(golden.npz))('reads %s archives', (_, archive) => {
    const arrays = parseNpz(decode(archive), 'x.npz')
    expect(Object.keys(arrays)).toEqual(['image', 'label'])
    expect(arrays.image).toEqual({ dtype: 'float32', shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) })
    expect(arrays.label!.data).toEqual(BigInt64Array.of(1n, 0n))
  })

  test('names the archive and the entry that is wrong', () => {
    const archive = zipSync({ 'a.npy': Uint8Array.of(1, 2, 3), 'notes.txt': Uint8Array.of(4) })
    expect(() => parseNpz(archive, 'x.npz')).toThrow(/^x\.npz \(a\.npy\) cannot be read/)
  })

  test('refuses archives that are damaged or claim sizes that cannot be', () => {
    const archive = decode(golden.npz.compressed)
    expect(() => parseNpz(archive.subarray(0, -30), 'x.npz')).toThrow(/cannot be unpacked/)
    const lying = zipSync({ 'a.npy': new Uint8Array(1000) })
    const view = new DataView(lying.buffer, lying.byteOffset)
    for (let at = 0; at < lying.length - 4; at++) {
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 0xfffffff0, true)
    }
    expect(() => parseNpz(lying, 'x.npz')).toThrow(/'a\.npy' claims an impossible size/)
  })
})
