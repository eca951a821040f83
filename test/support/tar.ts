/** The files of an uncompressed tar archive (POSIX ustar; longer names by GNU's `L` entries), by path. */
export function untar(archive: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  const text = (start: number, length: number) => {
    const bytes = archive.subarray(start, start + length)
    const end = bytes.indexOf(0)
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
  }
  let longName: string | undefined
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8)
    const kind = String.fromCharCode(archive[at + 156]!)
    const prefix = text(at + 345, 155)
    const name = longName ?? (prefix ? `${prefix}/` : '') + text(at, 100)
    longName = kind === 'L' ? text(at + 512, size) : undefined
    if (kind === '0' || kind === '\0') files.set(name, archive.subarray(at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}
