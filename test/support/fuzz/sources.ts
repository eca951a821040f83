import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { untar } from '../tar.ts'

/** A file that mutations start from. */
export interface Source {
  readonly name: string
  readonly bytes: Uint8Array
}

const folder = '../shared/models'
const maxBytes = 4e6

/**
 * The files at hand: small graphs that stand in the project, and, where they are there, real models and the cases by which
 * ONNX tests its backends.
 */
export function sources(own: readonly Source[], { shared = true } = {}): readonly Source[] {
  if (!shared || !existsSync(folder)) return own
  const real = readdirSync(folder)
    .filter(name => name.endsWith('.onnx'))
    .sort()
    .map(name => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) }))
    .filter(({ bytes }) => bytes.length < maxBytes)
  const archive = join(folder, 'onnx-backend-tests-dev.tar.gz')
  const cases = existsSync(archive) ? [...untar(gunzipSync(readFileSync(archive)))] : []
  const conformance = cases
    .filter(([name, bytes]) => name.endsWith('/model.onnx') && bytes.length < maxBytes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, bytes]) => ({ name, bytes: new Uint8Array(bytes) }))
  return [...own, ...real, ...conformance]
}
