import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** Versions of what takes part in a run. */
export interface Versions {
  readonly [name: string]: string
  readonly sinter: string
  readonly node: string
  readonly onnxruntime: string
}

/** The versions of this package, of Node and of onnxruntime (`none` if it is not installed). */
export async function versions(): Promise<Versions> {
  const require = createRequire(import.meta.url)
  const versionIn = async (path: string | URL) =>
    (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version
  const own = await versionIn(new URL('../../package.json', import.meta.url))
  const engine = await Promise.resolve()
    .then(() => versionIn(require.resolve('onnxruntime-node/package.json')))
    .catch(() => 'none')
  return { sinter: own, node: process.versions.node, onnxruntime: engine }
}
