import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Outcome } from './survive.ts'

/** What no file may bring about. */
export interface Finding {
  readonly kind: 'thrown' | 'crash' | 'hang' | 'memory'
  /** With the seed, this gives the file again. */
  readonly number: number
  readonly from: string
  readonly stage: string
  readonly what: string
}

export interface Summary {
  readonly mutations: number
  readonly findings: readonly Finding[]
  /** How many files ended where: `refused by check: invalid-graph`, `ran`. */
  readonly ends: Readonly<Record<string, number>>
}

export interface FuzzOptions {
  readonly seed: number
  readonly first?: number
  readonly mutations: number
  /** Whether real models and conformance cases beside the project are mutated too, where they are there. */
  readonly shared?: boolean
  readonly children?: number
  readonly onFinding?: (finding: Finding) => void
}

const limit = { seconds: 5, bytes: 2 ** 30 }

/** What a model asks an engine to run may take long, and is no fault of anyone's. */
const patient = new Set(['run'])

/** Works through mutations in child processes, which are watched: a child that ends, hangs or swells is a finding. */
export async function fuzz(options: FuzzOptions): Promise<Summary> {
  const { seed, first = 0, mutations, shared = true, children = 1, onFinding = () => {} } = options
  const findings: Finding[] = []
  const ends: Record<string, number> = {}
  const report = (finding: Finding) => {
    findings.push(finding)
    onFinding(finding)
  }
  const share = Math.ceil(mutations / children)
  const stretches = Array.from({ length: children }, async (_, i) => {
    const end = Math.min(first + mutations, first + (i + 1) * share)
    for (let at = first + i * share; at < end; )
      at = await stretch(seed, at, Math.min(end, at + 2000), shared, report, ends)
  })
  await Promise.all(stretches)
  return { mutations, findings, ends }
}

interface Line {
  readonly ready?: number
  readonly number?: number
  readonly from?: string
  readonly stage?: string
  readonly outcome?: Outcome
  readonly thrown?: string
  readonly stack?: string
  readonly end?: number
}

/** Runs one child until it is through, or ends otherwise; tells with which mutation to go on. */
function stretch(
  seed: number,
  first: number,
  end: number,
  shared: boolean,
  report: (finding: Finding) => void,
  ends: Record<string, number>,
): Promise<number> {
  const child = start([seed, first, end, shared ? 1 : 0].map(String))
  const errors: string[] = []
  child.stderr!.on('data', chunk => errors.push(String(chunk)))
  let [number, from, stage] = [first, '', 'start up']
  let since = secondsOf(child)
  let ready = false
  let before = 0
  let killed: 'hang' | 'memory' | undefined
  let through = false
  const tally = (what: string) => {
    ends[what] = (ends[what] ?? 0) + 1
  }
  createInterface({ input: child.stdio[3] as Readable }).on('line', text => {
    const line: Line = JSON.parse(text)
    if (line.ready !== undefined) [ready, before] = [true, memoryOf(child)]
    if (line.number !== undefined && line.number !== number) before = Math.min(memoryOf(child), 2 ** 30)
    if (line.stage === 'mutate' || line.stage === 'run') since = secondsOf(child)
    number = line.number ?? number
    from = line.from ?? from
    stage = line.stage ?? stage
    if (line.outcome) tally(nameOf(line.outcome))
    if (line.thrown !== undefined) {
      tally('thrown')
      report({ kind: 'thrown', number, from, stage, what: line.stack ?? line.thrown })
    }
    if (line.outcome || line.thrown !== undefined) number = line.number! + 1
    if (line.end !== undefined) through = true
  })
  const watch = setInterval(() => {
    const seconds = secondsOf(child) - since
    if (seconds > (ready ? (patient.has(stage) ? 4 : 1) * limit.seconds : 60)) killed = 'hang'
    else if (ready && memoryOf(child) - before > limit.bytes) killed = 'memory'
    if (killed) child.kill('SIGKILL')
  }, 50)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearInterval(watch)
      if (through) return resolve(end)
      if (!ready) return reject(new Error(`The fuzzer's child did not start: ${errors.join('')}`))
      const kind = killed ?? 'crash'
      tally(kind)
      const what = kind === 'crash' ? `ended with ${signal ?? code}: ${errors.join('').slice(-2000)}` : ''
      if (!(kind === 'hang' && patient.has(stage))) report({ kind, number, from, stage, what })
      resolve(number + 1)
    })
  })
}

function start(args: readonly string[]): ChildProcess {
  const require = createRequire(import.meta.url)
  const runner = join(dirname(require.resolve('jiti/package.json')), 'lib/jiti-cli.mjs')
  const worker = join(import.meta.dirname, 'worker.ts')
  const stdio = ['ignore', 'ignore', 'pipe', 'pipe'] as const
  return spawn(process.execPath, ['--max-old-space-size=1500', runner, worker, ...args], { stdio: [...stdio] })
}

/** Seconds that a process has computed for, so that a busy machine counts for nothing; since 1970 where that is not told. */
function secondsOf({ pid }: ChildProcess): number {
  try {
    const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13)
    return (Number(user) + Number(system)) / 100
  } catch {
    return Date.now() / 1000
  }
}

/** Resident bytes of a process; 0 on systems that do not tell. */
function memoryOf({ pid }: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
  } catch {
    return 0
  }
}

function nameOf({ refused, opened, ran }: Outcome): string {
  if (ran) return 'ran'
  if (!refused) return opened ? 'opened' : 'too large to run'
  return `refused by ${refused.stage}: ${refused.code}`
}
