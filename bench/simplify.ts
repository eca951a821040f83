/*
 * What simplifying makes of real models: nodes, bytes, time, and the latency of the result in onnxruntime, beside
 * onnxslim, onnxsim and onnxruntime's own offline optimisation at its basic level (from $SINTER_PYTHON, else python3; where
 * they are not installed, the counts that they are recorded with). Latencies are of one thread, taken by turns.
 * Run: npm run bench:simplify [-- --models ../shared/models --model gtcrn --quick --no-latency --again --record --explain]
 */
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Graph } from '../src/graph/graph.ts'
import { decode } from '../src/onnx/decode.ts'
import { readModel } from '../src/onnx/files.ts'
import { onnxruntimeNode } from '../src/runtime/onnxruntime-node.ts'
import { findFeeds } from '../src/verify/find-feeds.ts'
import { type SimplifyReport, simplifyModel } from '../src/verify/simplify-model.ts'
import { type ModelFile, modelFiles } from './simplify/models.ts'
import { type PeerName, type PeerResult, type PeerResults, peerNames, record, startPeers } from './simplify/peers.ts'
import { type Turns, takeTurns } from './simplify/turns.ts'

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '../shared/models' },
    model: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'no-latency': { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    explain: { type: 'boolean', default: false },
  },
})
const backend = onnxruntimeNode
const cache = resolve('node_modules/.cache/sinter-bench-simplify')
mkdirSync(cache, { recursive: true })
/** A result is called slower if both its ratios are above this. */
const slower = 1.02

const files = modelFiles(options.models, cache).filter(({ name }) => name.includes(options.model ?? ''))
const peers = await startPeers(cache, options.again)
console.log(
  `Peers${peers.live ? '' : ' as recorded'}: ${Object.entries(peers.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}`,
)
console.log(
  'Nodes: those in subgraphs count, Constant nodes do not. Seconds: the least of warm runs in process, loading not counted.',
)
console.log('Latency: milliseconds of a run in onnxruntime-node on one thread, and ratios taken by turns.\n')
console.log(
  row(
    'model',
    'nodes',
    'ours',
    'slim',
    'sim',
    'ort',
    'kB',
    'ours',
    'slim',
    'sim',
    'ort',
    'ms',
    'slim',
    'sim',
    'before',
    'after',
    'ratio',
    '/peer',
    'equal',
  ),
)

interface Line {
  readonly name: string
  readonly report: SimplifyReport
  readonly peers: PeerResults
  readonly seconds: number
  readonly toOriginal: Turns | undefined
  readonly toPeers: Turns | undefined
}

const lines: Line[] = []
for (const file of files) {
  const results = await peers.of(file.name, resolve(file.path))
  const capped = await measure(file, results, 'default')
  lines.push(capped)
  print(capped)
  // Weights that a few numbers fill: other tools write them out, ours does when it is asked to.
  if (!file.name.startsWith('light_')) continue
  const open = await measure(file, results, 'none')
  lines.push(open)
  print(open)
}
peers.close()
if (options.record && peers.live) record(peers.versions, Object.fromEntries(lines.map(one => [one.name, one.peers])))
verdicts()

async function measure(file: ModelFile, results: PeerResults, growth: 'default' | 'none'): Promise<Line> {
  const settings = growth === 'none' ? { maxGrowth: Number.POSITIVE_INFINITY } : {}
  const model = await readModel(file.path)
  const { graph, report } = await simplifyModel(model, { backend, threads: 1, ...settings })
  const times: number[] = []
  // Each time from a graph of which nothing is known yet.
  const begun = performance.now()
  while (times.length < (options.quick ? 2 : 5) && performance.now() - begun < 8000) {
    const again = await readModel(file.path)
    const { report: one } = await simplifyModel(again, { backend, check: false, threads: 1, ...settings })
    times.push(one.seconds)
  }
  if (options.explain) explain(report)
  const name = growth === 'none' ? `${file.name} (no cap)` : file.name
  const line = { name, report, peers: results, seconds: Math.min(...times), toOriginal: undefined, toPeers: undefined }
  return options['no-latency'] ? line : { ...line, ...(await latencies(model, graph, results)) }
}

/** Ratios to the original's latency and to that of the fastest peer's result; outliers are measured again. */
async function latencies(
  model: Graph,
  graph: Graph,
  results: PeerResults,
): Promise<Pick<Line, 'toOriginal' | 'toPeers'>> {
  const seconds = options.quick ? 0.4 : 1.5
  const open = (one: Graph) => backend.open(one, { threads: 1 })
  await using original = await open(model)
  await using ours = await open(graph)
  const [trial] = await findFeeds(original, model, { count: 1 })
  const against = async (other: Graph | undefined): Promise<Turns> => {
    await using peer = other ? await open(other) : undefined
    let best: Turns | undefined
    for (let tries = 0; tries < 4 && (!best || isSlower(best)); tries++) {
      const turns = await takeTurns(peer ?? original, ours, trial!.feeds, seconds * (tries + 1))
      if (!best || turns.ratio < best.ratio) best = turns
    }
    return best!
  }
  const toOriginal = await against(undefined)
  let toPeers: Turns | undefined
  for (const { file } of Object.values(results).filter(isResult)) {
    if (file === undefined || options.quick) continue
    const turns = await against(decode(await bytesOf(file))).catch(() => undefined)
    if (turns && (!toPeers || turns.ratio > toPeers.ratio)) toPeers = turns
  }
  return { toOriginal, toPeers }
}

async function bytesOf(file: string): Promise<Uint8Array> {
  const { readFile } = await import('node:fs/promises')
  return readFile(file)
}

function isSlower({ ratio, leastRatio }: Turns): boolean {
  return ratio > slower && leastRatio > slower
}

function isResult(result: PeerResults[PeerName]): result is PeerResult {
  return result !== undefined && !('error' in result)
}

function resultOf(line: Line, name: PeerName): PeerResult | undefined {
  const result = line.peers[name]
  return isResult(result) ? result : undefined
}

/** The fewest nodes that a peer left, with standard operators alone. */
function bestOf(line: Line): number {
  const counts = peerNames.flatMap(name => {
    const result = resultOf(line, name)
    return result && result.domains.length === 0 ? [result.nodes] : []
  })
  return Math.min(Number.POSITIVE_INFINITY, ...counts)
}

function print(line: Line): void {
  const { report, seconds, toOriginal, toPeers } = line
  const of = (key: 'nodes' | 'bytes' | 'seconds') => peerNames.map(name => resultOf(line, name)?.[key])
  const kilo = (bytes: number | undefined) => (bytes === undefined ? '-' : Math.round(bytes / 1000))
  const milli = (value: number | undefined) => (value === undefined ? '-' : Math.round(1000 * value))
  const fixed = (value: number | undefined, digits = 2) => value?.toFixed(digits) ?? '-'
  const { nodes, bytes, check } = report
  const mark = nodes.after < bestOf(line) ? '+' : nodes.after > bestOf(line) ? '!' : ' '
  console.log(
    row(
      line.name,
      nodes.before,
      `${nodes.after}${mark}`,
      ...of('nodes').map(count => count ?? '-'),
      kilo(bytes.before),
      kilo(bytes.after),
      ...of('bytes').map(kilo),
      milli(seconds),
      ...of('seconds').slice(0, 2).map(milli),
      fixed(toOriginal?.a.median, 3),
      fixed(toOriginal?.b.median, 3),
      fixed(toOriginal?.ratio),
      fixed(toPeers?.ratio),
      check.ok === null ? '?' : check.ok ? 'yes' : 'NO',
    ),
  )
  for (const { step, why } of report.skipped) console.log(`    skipped ${step}: ${why}`)
  for (const note of report.notes) console.log(`    ${note}`)
  for (const name of peerNames) {
    const result = line.peers[name]
    if (result && 'error' in result) console.log(`    ${name}: ${result.error}`)
  }
}

function verdicts(): void {
  // Each model once: with weights written out where the peers do so.
  const single = lines.filter(({ name }) => !lines.some(other => other.name === `${name} (no cap)`))
  const judged = single.filter(line => Number.isFinite(bestOf(line)))
  const count = (test: (line: Line) => boolean) => judged.filter(test).length
  const names = (list: readonly Line[]) => (list.length === 0 ? 'none' : list.map(({ name }) => name).join(', '))
  const sum = (of: (line: Line) => number | undefined) => single.reduce((total, line) => total + (of(line) ?? 0), 0)
  const atLeast = count(line => line.report.nodes.after <= bestOf(line))
  const better = count(line => line.report.nodes.after < bestOf(line))
  const capped = lines.filter(({ name }) => lines.some(other => other.name === `${name} (no cap)`))
  const keeping = capped.filter(line => line.report.nodes.after <= bestOf(line)).length
  console.log(`\nNodes at least as few as the best peer's: ${atLeast} of ${judged.length}; fewer: ${better}.`)
  if (capped.length > 0)
    console.log(
      `Among these, ${capped.length} that keep large weights as fills count with them written out, as the peers do; with the default cap ${keeping} of them are.`,
    )
  console.log(`Behind: ${names(judged.filter(line => line.report.nodes.after > bestOf(line)))}`)
  const ours = sum(({ seconds }) => seconds)
  for (const [peer, share] of [
    ['onnxslim', 1 / 5],
    ['onnxsim', 1],
  ] as const) {
    const theirs = sum(line => resultOf(line, peer)?.seconds)
    const limit = share * theirs
    console.log(
      `Seconds in sum: ${ours.toFixed(2)}; ${peer} ${theirs.toFixed(2)}, of which ${share === 1 ? 'all' : 'a fifth'} is ${limit.toFixed(2)}: ${ours <= limit ? 'within' : 'OVER'}`,
    )
  }
  const timed = lines.filter(({ toOriginal }) => toOriginal)
  console.log(
    `Slower than the original (> ${slower}): ${names(timed.filter(({ toOriginal }) => isSlower(toOriginal!)))}`,
  )
  const beside = lines.filter(({ toPeers }) => toPeers)
  console.log(`Slower than a peer's result (> ${slower}): ${names(beside.filter(({ toPeers }) => isSlower(toPeers!)))}`)
  console.log(
    `Larger than the original with the default cap, by at most 64 KB in sum: ${names(lines.filter(({ report: { bytes }, name }) => !name.endsWith('(no cap)') && bytes.after > bytes.before))}`,
  )
  console.log(
    `Mismatches: ${names(lines.filter(({ report }) => report.check.ok === false || report.skipped.length > 0))}; not compared: ${names(lines.filter(({ report }) => report.check.ok === null))}`,
  )
}

function explain({ passes }: SimplifyReport): void {
  for (const { name, changes, seconds } of passes.toSorted((a, b) => b.seconds - a.seconds).slice(0, 12)) {
    console.log(`    ${(1000 * seconds).toFixed(1).padStart(8)} ms  ${String(changes).padStart(5)}  ${name}`)
  }
}

function row(name: string, ...cells: readonly (string | number)[]): string {
  const widths = [5, 6, 5, 5, 5, 7, 7, 7, 7, 7, 6, 6, 6, 8, 8, 6, 6, 6]
  return [name.padEnd(34), ...cells.map((cell, i) => String(cell).padStart(widths[i]! + 1))].join('')
}
