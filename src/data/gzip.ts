import { messageOf, SinterError } from '../base/errors.ts'

/** Whether bytes start as a gzip file does (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/**
 * Unpacks a gzip file.
 * @param name what to call the file in errors.
 * @param limit bytes at which to give up, since a small file can unpack to a thousand times its size.
 * @throws SinterError `invalid-data` where it is damaged, cut short or unpacks to more than the limit.
 */
export async function gunzip(bytes: Uint8Array, name: string, limit = 2 ** 32): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  try {
    const unpacked = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('gzip'))
    for await (const piece of unpacked as AsyncIterable<Uint8Array> & typeof unpacked) {
      length += piece.length
      if (length > limit) throw new Error(`it unpacks to more than ${limit} bytes`)
      pieces.push(piece)
    }
  } catch (error) {
    throw new SinterError('invalid-data', `${name} cannot be unpacked: ${messageOf(error)}.`, { file: name }, error)
  }
  const all = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
