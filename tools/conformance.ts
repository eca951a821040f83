/*
 * Takes ONNX's conformance cases through everything that reading a model takes, and prints what became of them by
 * operator. Run: npm run conformance [path of a folder or .tar.gz] [-- --json]
 *
 * The cases run in a process of their own, which an engine may end; the report goes on with the next case then.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { table } from '../src/cli/table.ts'
import { type CaseReport, differenceOf, examine } from '../test/support/conformance.ts'
import { devCases, type OnnxCase, onnxCases } from '../test/support/onnx-cases.ts'

/** Whether onnxruntime passes a case's own model; `ends the process` where it does not survive it. */
type Engine = 'passes' | 'fails' | 'ends the process'
type Phase = 'engine' | 'sinter'

/** What the process of the cases tells. */
type Message =
  | { readonly begins: string; readonly phase: Phase }
  | { readonly engine: Engine; readonly of: string }
  | { readonly report: CaseReport }

interface Work {
  readonly path: string
  /** Names of the cases to examine, in order, and whether the engine passes them, where that is known. */
  readonly cases: readonly (readonly [name: string, engine: Engine | null])[]
}

type Verdict = CaseReport & { readonly engine: Engine }

const patience = 120_000

if (process.send) process.once('message', work => workThrough(work as Work).then(() => process.exit(0)))
else await main()

async function main() {
  const words = process.argv.slice(2)
  const path = words.find(word => !word.startsWith('-')) ?? devCases
  const cases = onnxCases(path)
  if (typeof cases === 'string') {
    process.stderr.write(`${cases}\n`)
    process.exit(2)
  }
  const reports = await examineAll(path, cases)
  const listed = cases[0]!.runs !== undefined
  if (words.includes('--json')) process.stdout.write(`${JSON.stringify(summaryOf(reports, path, listed), null, 2)}\n`)
  else print(reports, path, listed)
  if (reports.some(({ outcome }) => outcome === 'failed')) process.exit(1)
}

/** Examines the cases in other processes, the next one where one has ended. */
async function examineAll(path: string, cases: readonly OnnxCase[]): Promise<readonly Verdict[]> {
  const engines = new Map<string, Engine>()
  for (const { name, runs } of cases) if (runs !== undefined) engines.set(name, runs ? 'passes' : 'fails')
  const reports = new Map<string, CaseReport>()
  for (;;) {
    const left = cases.filter(({ name }) => !reports.has(name))
    if (left.length === 0) break
    const at = await oneProcess({ path, cases: left.map(({ name }) => [name, engines.get(name) ?? null]) }, message => {
      if ('report' in message) reports.set(message.report.name, message.report)
      if ('engine' in message) engines.set(message.of, message.engine)
    })
    if (!at) continue
    if (at.phase === 'engine') engines.set(at.begins, 'ends the process')
    else reports.set(at.begins, ended(at.begins))
  }
  return cases.map(({ name }) => ({ ...reports.get(name)!, engine: engines.get(name)! }))
}

/** Hands work to a process. Returns what it was at if it ended before its time. */
function oneProcess(work: Work, tell: (message: Message) => void) {
  return new Promise<Extract<Message, { begins: string }> | undefined>(resolve => {
    let at: Extract<Message, { begins: string }> | undefined
    const child = forked()
    let timer = setTimeout(() => child.kill('SIGKILL'), patience)
    child.on('message', (message: Message) => {
      clearTimeout(timer)
      timer = setTimeout(() => child.kill('SIGKILL'), patience)
      if ('begins' in message) at = message
      else tell(message)
      if ('report' in message) at = undefined
    })
    child.on('exit', () => {
      clearTimeout(timer)
      resolve(at)
    })
    child.send(work)
  })
}

function forked(): ChildProcess {
  const jiti = join(dirname(createRequire(import.meta.url).resolve('jiti/package.json')), 'lib/jiti-cli.mjs')
  return fork(jiti, [fileURLToPath(import.meta.url)], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
}

function ended(name: string): CaseReport {
  const why = 'the process ended'
  const none = { operators: [], open: [], openWithConstants: [], evaluated: 0 }
  return { name, outcome: 'failed', why, ran: false, upgraded: false, isStatic: false, ...none }
}

async function workThrough({ path, cases: todo }: Work): Promise<void> {
  const cases = new Map((onnxCases(path) as readonly OnnxCase[]).map(one => [one.name, one]))
  // A message must have left before something that may end the process begins.
  const tell = (message: Message) => new Promise<void>(done => process.send!(message, undefined, {}, () => done()))
  for (const [name, known] of todo) {
    const one = cases.get(name)!
    let engine = known
    if (!engine) {
      await tell({ begins: name, phase: 'engine' })
      engine = (await passes(one)) ? 'passes' : 'fails'
      await tell({ engine, of: name })
    }
    await tell({ begins: name, phase: 'sinter' })
    await tell({ report: await examine(one, engine === 'passes') })
  }
}

/** Whether onnxruntime computes what a case expects from the model as it is. */
async function passes(one: OnnxCase): Promise<boolean> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node')
  try {
    const session = await InferenceSession.create(one.bytes(), { logSeverityLevel: 4, intraOpNumThreads: 1 })
    const [inputs, outputs] = [one.inputs(), one.outputs()] as [
      { dtype: 'float32'; shape: number[]; data: never }[],
      [],
    ]
    const feeds = Object.fromEntries(
      session.inputNames.map((name, i) => [name, new Tensor(inputs[i]!.dtype, inputs[i]!.data, inputs[i]!.shape)]),
    )
    const results = await session.run(feeds)
    const wrong = session.outputNames.some((name, i) => {
      const { type, dims, data } = results[name]!
      return differenceOf({ dtype: type, shape: dims, data: data as never }, outputs[i]!) !== undefined
    })
    await session.release()
    return !wrong
  } catch {
    return false
  }
}

function summaryOf(reports: readonly Verdict[], path: string, listed: boolean) {
  const count = (outcome: CaseReport['outcome']) => reports.filter(one => one.outcome === outcome).length
  const fixed = reports.filter(({ isStatic }) => isStatic)
  const share = (open: 'open' | 'openWithConstants') =>
    fixed.filter(one => one[open].length === 0).length / fixed.length
  return {
    path,
    engineKnownFrom: listed ? 'the list beside the cases' : 'running each model',
    cases: reports.length,
    engine: reports.filter(({ engine }) => engine === 'passes').length,
    ran: reports.filter(({ ran }) => ran).length,
    upgraded: reports.filter(({ upgraded }) => upgraded).length,
    passed: count('passed'),
    refused: count('refused'),
    failed: count('failed'),
    evaluatedOutputs: reports.reduce((sum, { evaluated }) => sum + evaluated, 0),
    static: fixed.length,
    known: share('open'),
    knownWithConstants: share('openWithConstants'),
    operators: rowsOf(reports),
    reports,
  }
}

interface Row {
  readonly operator: string
  cases: number
  ran: number
  passed: number
  refused: number
  failed: number
}

function rowsOf(reports: readonly Verdict[]): readonly Row[] {
  const rows = new Map<string, Row>()
  for (const { operators, outcome, ran } of reports) {
    for (const operator of operators) {
      const row = rows.get(operator) ?? { operator, cases: 0, ran: 0, passed: 0, refused: 0, failed: 0 }
      rows.set(operator, row)
      row.cases++
      row[outcome]++
      if (ran) row.ran++
    }
  }
  return [...rows.values()].sort((a, b) => (a.operator < b.operator ? -1 : 1))
}

function print(reports: readonly Verdict[], path: string, listed: boolean): void {
  const all = summaryOf(reports, path, listed)
  const numeric = ['cases', 'ran', 'passed', 'refused', 'failed'] as const
  const columns = [{ title: 'operator' }, ...numeric.map(title => ({ title, align: 'right' as const }))]
  const rows = all.operators.map(row => [row.operator, ...numeric.map(name => `${row[name]}`)])
  const lines = [table(columns, rows, 80), '']
  for (const outcome of ['refused', 'failed'] as const) {
    const those = reports.filter(one => one.outcome === outcome)
    if (those.length > 0) lines.push(`${outcome}:`, ...those.map(({ name, why }) => `  ${name}: ${why}`), '')
  }
  const open = reports.filter(one => one.isStatic && one.openWithConstants.length > 0)
  lines.push('not fully known shapes, short vectors that are fed taken as constants:')
  lines.push(...open.map(({ name, openWithConstants }) => `  ${name}: ${openWithConstants.join(', ')}`), '')
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`
  lines.push(
    `${all.path}: ${all.cases} cases; ${all.engine} pass in onnxruntime as they are (by ${all.engineKnownFrom})`,
    `${all.passed} passed, ${all.refused} refused, ${all.failed} failed; ${all.ran} ran again, ${all.upgraded} upgraded, ` +
      `${all.evaluatedOutputs} outputs evaluated without an engine`,
    `shapes fully known: ${percent(all.known)} of ${all.static} cases with static inputs by the inputs' shapes alone, ` +
      `${percent(all.knownWithConstants)} with the short vectors that are fed as constants`,
  )
  process.stdout.write(`${lines.join('\n')}\n`)
}
