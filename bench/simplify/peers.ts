import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Other simplifiers, in the order of the columns. */
export const peerNames = ['onnxslim', 'onnxsim', 'onnxruntime'] as const
export type PeerName = (typeof peerNames)[number]

/** What a peer made of a model. */
export interface PeerResult {
  readonly nodes: number
  readonly bytes: number
  readonly seconds: number
  /** The model that it wrote, where it is still there. */
  readonly file?: string
  /** Operators beside the standard's that its result needs. */
  readonly domains: readonly string[]
}

export type PeerResults = Readonly<Partial<Record<PeerName, PeerResult | { readonly error: string }>>>

export interface Peers {
  readonly versions: Readonly<Record<string, string>>
  /** Whether they ran here, or what is told of them was written down before. */
  readonly live: boolean
  of(name: string, model: string): Promise<PeerResults>
  close(): void
}

const recordFile = join(import.meta.dirname, 'peers.json')

interface Recorded {
  readonly versions: Readonly<Record<string, string>>
  readonly models: Readonly<Record<string, PeerResults>>
}

/**
 * The peers in a Python process ($SINTER_PYTHON, else python3), which keeps what it made in `cache`; else what they were
 * recorded to make.
 * @param again whether to run them even where the cache has their result.
 */
export async function startPeers(cache: string, again: boolean): Promise<Peers> {
  const python = process.env.SINTER_PYTHON ?? 'python3'
  const recorded: Recorded = existsSync(recordFile)
    ? JSON.parse(readFileSync(recordFile, 'utf8'))
    : { versions: {}, models: {} }
  if (spawnSync(python, ['-c', 'import onnx, onnxslim, onnxsim, onnxruntime']).status !== 0) {
    return { versions: recorded.versions, live: false, of: async name => recorded.models[name] ?? {}, close() {} }
  }
  const child = spawn(python, [join(import.meta.dirname, '../simplify.py')], {
    stdio: ['pipe', 'pipe', 'ignore'],
    cwd: cache,
  })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await answers.next()
    if (done) throw new Error('The process with the peers has ended.')
    return JSON.parse(value)
  }
  const versions = (await answer()) as Readonly<Record<string, string>>
  return {
    versions,
    live: true,
    async of(name, model) {
      const out = join(cache, name)
      const known = join(out, 'peers.json')
      if (!again && existsSync(known)) {
        const kept = JSON.parse(readFileSync(known, 'utf8'))
        if (JSON.stringify(kept.versions) === JSON.stringify(versions)) return kept.results
      }
      mkdirSync(out, { recursive: true })
      child.stdin.write(`${JSON.stringify({ model, out })}\n`)
      const results = await answer()
      writeFileSync(known, JSON.stringify({ versions, results }))
      return results
    },
    close: () => child.stdin.end(),
  }
}

/** Writes down what the peers made, for machines without them. */
export function record(versions: Recorded['versions'], models: Readonly<Record<string, PeerResults>>): void {
  const bare = Object.fromEntries(
    Object.entries(models).map(([name, results]) => [
      name,
      Object.fromEntries(
        Object.entries(results).map(([peer, result]) => {
          if ('error' in result) return [peer, result]
          const { nodes, bytes, seconds, domains } = result
          return [peer, { nodes, bytes, seconds: Number(seconds.toFixed(4)), domains }]
        }),
      ),
    ]),
  )
  writeFileSync(recordFile, `${JSON.stringify({ versions, models: bare }, null, 2)}\n`)
}
