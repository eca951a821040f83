/*
 * Times the metrics on large inputs, beside scikit-learn where a Python with it is found ($SINTER_PYTHON, else python3).
 * Both get the same arrays, so that the values can be compared too. Run: npm run bench:metrics
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { random } from '../src/base/random.ts'
import { tensor } from '../src/base/tensor.ts'
import { averageScore, confusionMatrix } from '../src/evaluate/confusion-matrix.ts'
import { predictions } from '../src/evaluate/predictions.ts'
import { brierScore, logLoss } from '../src/evaluate/probability-scores.ts'
import { binaryAveragePrecision, binaryRocAuc, rocAuc } from '../src/evaluate/ranking.ts'

interface Timing {
  readonly seconds: number
  readonly value: number
}

const repeats = 3
const many = 10_000_000
const rowCount = 1_000_000
const classes = 10

const inputs = makeInputs()
const labelled = { classes, size: many, labels: inputs.labels, predicted: inputs.predicted }
const scored = predictions(tensor('float64', [rowCount, classes], inputs.probabilities), inputs.rows)

const cases: readonly { name: string; input: string; run: () => number }[] = [
  { name: 'ROC-AUC', input: '10 M scores', run: () => binaryRocAuc(inputs.scores, inputs.flags) },
  { name: 'average precision', input: '10 M scores', run: () => binaryAveragePrecision(inputs.scores, inputs.flags) },
  { name: 'confusion matrix', input: '10 M labels', run: () => trace(confusionMatrix(labelled).counts) },
  { name: 'macro F1', input: '10 M labels', run: () => averageScore(confusionMatrix(labelled), 'f1') },
  { name: 'ROC-AUC one-vs-rest', input: '1 M x 10', run: () => rocAuc(scored) },
  { name: 'log loss', input: '1 M x 10', run: () => logLoss(scored) },
  { name: 'Brier score', input: '1 M x 10', run: () => brierScore(scored) },
]

const peer = timePeer()
console.log(`Seconds, best of ${repeats}. ${peer.note}`)
console.log(row('metric', 'input', 'Sinter', 'scikit-learn', 'ratio', 'difference'))
for (const { name, input, run } of cases) {
  const own = time(run)
  const other = peer.results?.[name]
  console.log(
    row(
      name,
      input,
      own.seconds.toFixed(3),
      other?.seconds.toFixed(3) ?? '-',
      other ? (own.seconds / other.seconds).toFixed(3) : '-',
      other ? Math.abs(own.value - other.value).toExponential(1) : '-',
    ),
  )
}

function makeInputs() {
  const stream = random(1)
  const scores = new Float64Array(many)
  const flags = new Int32Array(many)
  const labels = new Int32Array(many)
  const predicted = new Int32Array(many)
  for (let i = 0; i < many; i++) {
    flags[i] = stream.integer(2)
    scores[i] = (stream.uniform() + 0.2 * flags[i]!) / 1.2
    labels[i] = stream.integer(classes)
    predicted[i] = stream.uniform() < 0.9 ? labels[i]! : stream.integer(classes)
  }
  const rows = labels.slice(0, rowCount)
  const probabilities = new Float64Array(rowCount * classes)
  for (let row = 0; row < rowCount; row++) {
    const own = probabilities.subarray(row * classes, (row + 1) * classes)
    for (let c = 0; c < classes; c++) own[c] = stream.uniform() + (rows[row] === c ? 1 : 0)
    const sum = own.reduce((a, b) => a + b, 0)
    for (let c = 0; c < classes; c++) own[c]! /= sum
  }
  return { scores, flags, labels, predicted, rows, probabilities }
}

function time(run: () => number): Timing {
  let value = 0
  let seconds = Number.POSITIVE_INFINITY
  for (let i = 0; i < repeats; i++) {
    const start = performance.now()
    value = run()
    seconds = Math.min(seconds, (performance.now() - start) / 1000)
  }
  return { seconds, value }
}

function timePeer(): { note: string; results?: Readonly<Record<string, Timing>> } {
  const python = process.env.SINTER_PYTHON ?? 'python3'
  if (spawnSync(python, ['-c', 'import sklearn']).status !== 0) {
    return { note: `scikit-learn is left out: ${python} does not have it; set SINTER_PYTHON to a Python that does.` }
  }
  const folder = mkdtempSync(join(tmpdir(), 'sinter-bench-'))
  try {
    for (const [name, array] of Object.entries(inputs)) {
      writeFileSync(join(folder, `${name}.${array instanceof Float64Array ? 'f64' : 'i32'}`), array)
    }
    const script = join(import.meta.dirname, 'metrics.py')
    const run = spawnSync(python, [script, folder, String(repeats)], { encoding: 'utf8' })
    if (run.status !== 0) return { note: `scikit-learn is left out: it failed. ${run.stderr.trim().slice(-300)}` }
    const { version, results } = JSON.parse(run.stdout)
    return { note: `Beside scikit-learn ${version}, one process after the other.`, results }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function trace(counts: Float64Array): number {
  return counts.reduce((sum, count, i) => sum + (i % (classes + 1) === 0 ? count : 0), 0)
}

function row(...cells: string[]): string {
  return cells.map((cell, i) => (i < 2 ? cell.padEnd(i ? 12 : 20) : cell.padStart(12))).join(' ')
}
