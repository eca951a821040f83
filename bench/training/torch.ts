import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { batch, type Contender, classes, type Missing, type Net } from './contender.ts'

export interface Torch {
  readonly version: string
  contender(net: Net, layout: 'contiguous' | 'channels_last'): Contender
  close(): void
}

/** PyTorch in a process of its own, which computes only when asked to. */
export async function torch(threads: number, cpu: boolean): Promise<Torch | Missing> {
  const python = process.env.SINTER_PYTHON ?? 'python3'
  if (spawnSync(python, ['-c', 'import torch']).status !== 0) {
    return { name: 'PyTorch', reason: `${python} does not have it; set SINTER_PYTHON to a Python that does` }
  }
  const script = join(import.meta.dirname, 'torch_peer.py')
  const child = spawn(python, [script, String(threads), String(batch), String(classes), cpu ? 'cpu' : 'clock'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await answers.next()
    if (done) throw new Error('The process with PyTorch has ended.')
    return JSON.parse(value)
  }
  const { version } = (await answer()) as { readonly version: string }
  return {
    version,
    contender: (net, layout) => ({
      name: `PyTorch ${layout}`,
      run(steps) {
        child.stdin.write(`${JSON.stringify({ net, layout, steps })}\n`)
        return answer()
      },
      close: async () => {},
    }),
    close: () => child.stdin.end(),
  }
}
