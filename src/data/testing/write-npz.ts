import { writeFile } from 'node:fs/promises'
import { zipSync } from 'fflate'
import { bytesOf, type Tensor } from '../../base/tensor.ts'

const descr: Readonly<Record<string, string>> = { float32: '<f4', float64: '<f8', int64: '<i8', uint8: '|u1' }

/** Writes arrays as NumPy's `savez` does. */
export async function writeNpz(path: string, arrays: Readonly<Record<string, Tensor>>): Promise<void> {
  await writeFile(
    path,
    zipSync(Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, npy(array)]))),
  )
}

/** Format version 1.0: magic, version, length and text of the header, padded to 64 bytes, then the elements. */
function npy(array: Tensor): Uint8Array {
  const shape = array.shape.length === 1 ? `${array.shape[0]},` : array.shape.join(', ')
  const text = `{'descr': '${descr[array.dtype]}', 'fortran_order': False, 'shape': (${shape}), }`
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`
  const head = Buffer.alloc(10)
  head.write('\x93NUMPY\x01\x00', 'latin1')
  head.writeUInt16LE(padded.length, 8)
  return Buffer.concat([head, Buffer.from(padded, 'latin1'), bytesOf(array)])
}
