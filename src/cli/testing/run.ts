import { runCli } from '../cli.ts'

/** What a command line gave: exit code, and what it wrote. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  /** Standard output as the one JSON document that it must be. */
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of a document
  readonly json: () => any
}

/** Runs `sinter ...` in this process. */
export async function sinter(...args: readonly string[]): Promise<Ran> {
  return await sinterUntil(new AbortController().signal, ...args)
}

/** The same, to be stopped by a signal. */
export async function sinterUntil(signal: AbortSignal, ...args: readonly string[]): Promise<Ran> {
  let [out, err] = ['', '']
  const code = await runCli(args, {
    out: text => {
      out += text
    },
    err: text => {
      err += text
    },
    live: false,
    columns: 80,
    signal,
  })
  return { code, out, err, json: () => JSON.parse(out) }
}
