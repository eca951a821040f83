import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { untar } from '../../test/support/tar.ts'

export interface ModelFile {
  readonly name: string
  readonly path: string
}

/** The .onnx files of a folder, and the classic architectures of its archive of conformance cases, unpacked to `cache`. */
export function modelFiles(folder: string, cache: string): readonly ModelFile[] {
  const named = (path: string) => ({ name: basename(path, '.onnx'), path })
  const own = readdirSync(folder)
    .filter(file => file.endsWith('.onnx'))
    .sort()
    .map(file => named(join(folder, file)))
  const archive = join(folder, 'onnx-backend-tests-dev.tar.gz')
  return existsSync(archive) ? [...own, ...unpacked(archive, cache).map(named)] : own
}

function unpacked(archive: string, cache: string): readonly string[] {
  const folder = join(cache, 'light')
  if (!existsSync(folder)) {
    const files = untar(gunzipSync(readFileSync(archive)))
    mkdirSync(folder, { recursive: true })
    for (const [path, bytes] of files) {
      if (/(^|\/)light_[^/]*\.onnx$/.test(path)) writeFileSync(join(folder, basename(path)), bytes)
    }
  }
  return readdirSync(folder)
    .sort()
    .map(file => join(folder, file))
}
