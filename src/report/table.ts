import stringWidth from 'string-width'
import {
  bestMember,
  choiceSentence,
  chosenModel,
  compactionSentence,
  gainSentence,
  shownMetrics,
  shownPart,
  significanceSentence,
  statusSentence,
} from './findings.ts'
import { compact, decimals, kilobytes, measured, percent, shareOf } from './format.ts'
import type { RunModel, RunRecord, RunSnapshot } from './run-record.ts'
import { clean, padEnd, padStart, shorten, wrap } from './text.ts'

export interface TableOptions {
  /** Width to stay within, in terminal columns. */
  readonly columns?: number
  /** Whether to emphasise with ANSI escapes. */
  readonly color?: boolean
}

/** What suits a stream: its width, and colour only on a terminal and without NO_COLOR (no-color.org). */
export function terminalOptions(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: { readonly NO_COLOR?: string | undefined; readonly TERM?: string | undefined },
): TableOptions {
  return {
    columns: Math.min(stream.columns || 100, 120),
    color: Boolean(stream.isTTY) && !env.NO_COLOR && env.TERM !== 'dumb',
  }
}

interface Column<R> {
  readonly title: readonly [string, string]
  readonly of: (row: R) => string
  /** Columns with the largest number go first when the terminal is narrow; 0 stays. */
  readonly spare: number
}

/** Results, choice and compaction of a run as text for a terminal. Ends with a newline. */
export function renderTable(record: RunRecord, options: TableOptions = {}): string {
  const { columns = 100, color = false } = options
  const style = color ? ansi : plain
  const parts = [resultsTable(record, columns, style), ...sentences(record, columns, style)]
  const compaction = compactionTable(record, columns, style)
  if (compaction) parts.push(compaction)
  return `${parts.join('\n\n')}\n`
}

function resultsTable(record: RunRecord, width: number, style: Style): string {
  const metrics = (model: RunModel) => shownMetrics(record, model)
  const chosen = chosenModel(record)
  const columns: Column<RunModel>[] = [
    { title: ['', 'params'], of: m => compact(m.parameters), spare: 3 },
    { title: ['', 'MACs'], of: m => compact(m.macs), spare: 0 },
    { title: ['', 'KB'], of: m => kilobytes(m.bytes), spare: 6 },
    { title: ['p50', 'ms'], of: m => measured(m.latency?.p50), spare: 0 },
    { title: [record.data.unit.slice(0, 8), '/s'], of: m => compact(m.throughput), spare: 7 },
    { title: ['train', 's'], of: m => measured(m.trainSeconds), spare: 4 },
    { title: ['acc', '%'], of: m => percent(metrics(m)?.accuracy), spare: 0 },
    { title: ['F1', '%'], of: m => percent(metrics(m)?.macroF1), spare: 2 },
    { title: ['', 'AUC'], of: m => decimals(5)(metrics(m)?.rocAuc), spare: 5 },
    { title: ['log', 'loss'], of: m => decimals(4)(metrics(m)?.logLoss), spare: 1 },
    { title: ['', 'ECE'], of: m => decimals(4)(metrics(m)?.ece), spare: 8 },
  ]
  const groups = (['member', 'ensemble', 'compact'] as const)
    .map(kind => ({ kind, rows: record.models.filter(model => model.kind === kind) }))
    .filter(group => group.rows.length > 0)
  const layout = fit(columns, record.models, m => m.name, width)
  const lines = header(layout, `${record.name}, ${shownPart(record)} part`, style)
  for (const { kind, rows } of groups) {
    lines.push(style.dim(kind))
    for (const model of rows) {
      const line = rowOf(layout, model, model === chosen ? '▸' : ' ', model.name)
      lines.push(model === chosen ? style.strong(line) : line)
    }
  }
  return lines.join('\n')
}

function compactionTable(record: RunRecord, width: number, style: Style): string | undefined {
  const { compact: compaction } = record
  if (!compaction || compaction.steps.length === 0) return undefined
  const start = compaction.steps[0]!.before
  const rows = [
    { name: compaction.from, state: start },
    ...compaction.steps.map(step => ({ name: step.name, state: step.after })),
  ]
  type Row = { readonly name: string; readonly state: RunSnapshot }
  const columns: Column<Row>[] = [
    { title: ['', 'params'], of: r => compact(r.state.parameters), spare: 0 },
    { title: ['', 'MACs'], of: r => compact(r.state.macs), spare: 0 },
    { title: ['of the', 'MACs'], of: r => shareOf(r.state.macs, start.macs), spare: 2 },
    { title: ['', 'KB'], of: r => kilobytes(r.state.bytes), spare: 1 },
    { title: ['p50', 'ms'], of: r => measured(r.state.latency?.p50), spare: 0 },
    { title: ['validation', 'acc %'], of: r => percent(r.state.validationAccuracy), spare: 0 },
  ]
  const layout = fit(columns, rows, r => r.name, width)
  const lines = [
    ...header(layout, 'compaction, after each step', style),
    ...rows.map(row => rowOf(layout, row, ' ', row.name)),
  ]
  const sentence = compactionSentence(record)
  return sentence ? `${lines.join('\n')}\n\n${wrap(clean(sentence), width)}` : lines.join('\n')
}

function sentences(record: RunRecord, width: number, style: Style): string[] {
  const choice = choiceSentence(record)
  const lines: string[] = []
  if (record.status === 'interrupted') lines.push(style.strong(wrap(statusSentence(record), width)))
  if (choice) {
    lines.push(style.strong(wrap(clean(choice), width)))
    const gain = chosenModel(record) === bestMember(record) ? undefined : gainSentence(record)
    const rest = [record.choice?.reason, gain, significanceSentence(record)].filter(text => text !== undefined)
    lines.push(...rest.map(text => wrap(clean(text), width)))
  }
  return lines.length > 0 ? [lines.join('\n')] : []
}

interface Layout<R> {
  readonly columns: readonly { readonly column: Column<R>; readonly width: number }[]
  readonly nameWidth: number
  readonly gap: number
}

/** Takes columns away, the most dispensable first, until the rows fit, names shortened to 16 if that is needed. */
function fit<R>(all: readonly Column<R>[], rows: readonly R[], nameOf: (row: R) => string, width: number): Layout<R> {
  const longest = Math.max(4, ...rows.map(row => stringWidth(clean(nameOf(row)))))
  let columns = all.map(column => ({
    column,
    width: Math.max(...column.title.map(t => stringWidth(t)), ...rows.map(row => stringWidth(column.of(row)))),
  }))
  for (;;) {
    const numbers = columns.reduce((sum, c) => sum + c.width, 0)
    for (const gap of [2, 1]) {
      const room = width - 2 - numbers - gap * columns.length
      if (room >= Math.min(longest, 16)) return { columns, gap, nameWidth: Math.min(longest, room) }
    }
    const spare = Math.max(...columns.map(c => c.column.spare))
    if (spare === 0) return { columns, gap: 1, nameWidth: Math.min(longest, 12) }
    columns = columns.filter(c => c.column.spare !== spare)
  }
}

function header<R>({ columns, nameWidth, gap }: Layout<R>, title: string, style: Style): string[] {
  const line = (i: 0 | 1, name: string) => {
    const cells = columns.map(({ column, width }) => ' '.repeat(gap) + padStart(column.title[i], width))
    return style.dim(`  ${padEnd(name, nameWidth)}${cells.join('')}`.trimEnd())
  }
  return [style.strong(clean(title)), line(0, ''), line(1, 'name')]
}

function rowOf<R>({ columns, nameWidth, gap }: Layout<R>, row: R, mark: string, name: string): string {
  const cells = columns.map(({ column, width }) => ' '.repeat(gap) + padStart(column.of(row), width))
  return `${mark} ${padEnd(shorten(clean(name), nameWidth), nameWidth)}${cells.join('')}`
}

interface Style {
  readonly strong: (text: string) => string
  readonly dim: (text: string) => string
}

const plain: Style = { strong: text => text, dim: text => text }
const ansi: Style = { strong: text => `\x1b[1m${text}\x1b[22m`, dim: text => `\x1b[2m${text}\x1b[22m` }
