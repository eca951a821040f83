import type { GraphDiff } from '../read/diff.ts'
import { isSame } from '../read/diff.ts'
import { compact, counted, fileSize, listed, measured, percent, pValue, whole } from '../report/format.ts'
import { clean, wrap } from '../report/text.ts'
import type { Compared, Measure } from './compare.ts'
import type { RunDifference } from './compare-runs.ts'
import type { Signature } from './edit-model.ts'
import { facts, table } from './table.ts'

const number = { align: 'right' } as const

/** How many of a kind are shown. */
const most = 8

const names: Readonly<Record<Measure, string>> = {
  nodes: 'nodes',
  parameters: 'parameters',
  macs: 'MACs',
  bytes: 'size',
  bytesRead: 'bytes read',
  bytesWritten: 'bytes written',
  peakActivationBytes: 'peak',
}

const formats: Readonly<Record<Measure, (value: number) => string>> = {
  nodes: whole,
  parameters: compact,
  macs: compact,
  bytes: fileSize,
  bytesRead: fileSize,
  bytesWritten: fileSize,
  peakActivationBytes: fileSize,
}

/** A comparison for a person, within a terminal's width. */
export function comparisonText(compared: Compared, width: number): string {
  const { a, b, diff } = compared
  const sections = [
    facts([
      ['a', a.file],
      ['b', b.file],
    ]),
    verdict(compared, width),
    classifiersText(compared),
    costs(compared, width),
    ...signatureLines('inputs', a.inputs, b.inputs, width),
    ...signatureLines('outputs', a.outputs, b.outputs, width),
    structure(diff, width),
  ]
  return sections.filter(section => section !== '').join('\n\n')
}

function costs({ a, b, ratios, operators, latency, difference, notCompared }: Compared, width: number): string {
  const keys = Object.keys(names) as Measure[]
  const ratio = (value: number | null) => (value === null ? '' : value.toFixed(3))
  const rows = [
    ...keys.map(key => [names[key], formats[key](a[key]), formats[key](b[key]), ratio(ratios[key])]),
    ...Object.entries(operators).map(([name, counts]) => [
      `  ${name}`,
      whole(counts.a),
      whole(counts.b),
      ratio(counts.a > 0 ? counts.b / counts.a : null),
    ]),
    ...(latency ? [['p50 ms', measured(latency.a.p50), measured(latency.b.p50), latency.ratio.toFixed(3)]] : []),
  ]
  const lines = table(
    [{ title: '' }, { title: 'a', ...number }, { title: 'b', ...number }, { title: 'b / a', ...number }],
    rows,
    width,
  )
  const open = a.uncounted + b.uncounted
  const sizes = Object.entries({ ...b.sizes, ...a.sizes }).map(([symbol, size]) => `${symbol}=${size}`)
  const notes = [
    ...(sizes.length > 0 ? [`Costs are for ${listed(sizes)}; see --bind.`] : []),
    ...(open > 0 ? [`MACs of ${counted(open, 'node')} are not known.`] : []),
    ...(latency === null && difference !== null && notCompared !== null ? [notCompared] : []),
  ]
  return notes.length === 0 ? lines : `${lines}\n${wrap(clean(notes.join(' ')), width)}`
}

/** Nothing where both have the same. */
function signatureLines(what: string, a: readonly Signature[], b: readonly Signature[], width: number): string[] {
  const show = (values: readonly Signature[]) => listed(values.map(({ name, type }) => clean(`${name} ${type}`)))
  const lines = [`${what} of a: ${show(a)}`, `${what} of b: ${show(b)}`]
  return show(a) === show(b) ? [] : [lines.map(line => indented(line, width)).join('\n')]
}

function structure(diff: GraphDiff, width: number): string {
  const { nodes, tensors } = diff
  const renamed = nodes.renamed.length + tensors.renamed.length
  if (isSame(diff)) return renamed === 0 ? 'The structures are the same.' : 'The structures are the same but for names.'
  const summary = (part: GraphDiff['nodes'] | GraphDiff['tensors']) =>
    [
      `${whole(part.same)} same`,
      ...(['renamed', 'changed', 'removed', 'added'] as const)
        .filter(key => part[key].length > 0)
        .map(key => `${whole(part[key].length)} ${key}`),
    ].join(', ')
  const blocks = [
    facts([
      ['nodes', summary(nodes)],
      ['tensors', summary(tensors)],
    ]),
    ...byOperator('removed', nodes.removed, width),
    ...byOperator('added', nodes.added, width),
    ...listOf(
      'changed',
      nodes.changed.map(({ a, b, operator, changes }) => `${operator} ${pair(a, b)}: ${changes.join('; ')}`),
      width,
    ),
    ...listOf(
      'changed tensors',
      tensors.changed.map(({ a, b, change, maxAbsDifference }) => {
        const by = maxAbsDifference === null ? '' : `, by up to ${maxAbsDifference.toExponential(2)}`
        return `${pair(a, b)} ${change}${by}`
      }),
      width,
    ),
    ...listOf('removed tensors', tensors.removed, width),
    ...listOf('added tensors', tensors.added, width),
  ]
  return blocks.join('\n')
}

const pair = (a: string, b: string) => (a === b ? a : `${a} (in b ${b})`)

function byOperator(title: string, nodes: readonly { readonly operator: string }[], width: number): string[] {
  if (nodes.length === 0) return []
  const counts = new Map<string, number>()
  for (const { operator } of nodes) counts.set(operator, (counts.get(operator) ?? 0) + 1)
  const sorted = [...counts].sort((a, b) => b[1] - a[1])
  return [indented(`${title}: ${sorted.map(([operator, count]) => `${operator} ${count}`).join(', ')}`, width)]
}

function listOf(title: string, lines: readonly string[], width: number): string[] {
  if (lines.length === 0) return []
  const more = lines.length > most ? [`  and ${whole(lines.length - most)} more`] : []
  return [`${title}:`, ...lines.slice(0, most).map(line => `  ${indented(line, width - 2)}`), ...more]
}

function indented(text: string, width: number): string {
  return wrap(clean(text), width - 4).replaceAll('\n', '\n    ')
}

/** What a comparison is asked for first: whether outputs are the same. */
function verdict(compared: Compared, width: number): string {
  const { difference, notCompared } = compared
  if (!difference) return notCompared === null ? '' : wrap(`Outputs not compared: ${clean(notCompared)}`, width)
  const all = Object.entries(difference.outputs)
  const apart = all.filter(([, { same }]) => !same).map(([name]) => name)
  const left = all.filter(([, { skipped }]) => skipped).length
  const said =
    apart.length > 0
      ? `Outputs differ: ${listed(apart.slice(0, most))}${apart.length > most ? `, and ${apart.length - most} more` : ''}.`
      : left === all.length
        ? 'No output could be compared.'
        : `Outputs are the same${left > 0 ? `, but for ${left} that could not be compared` : ''}.`
  return `${wrap(clean(said), width)}\n\n${outputsTable(difference, compared.feeds, width)}`
}

function outputsTable(difference: RunDifference, feeds: Compared['feeds'], width: number): string {
  const runs = feeds.kind === 'data' ? 'batch' : feeds.kind === 'file' ? 'run' : 'random run'
  const plural = feeds.count === 1 ? `1 ${runs}` : `${feeds.count} ${runs}${runs === 'batch' ? 'es' : 's'}`
  const rows = Object.entries(difference.outputs).map(([name, { absolute, relative, same, skipped, note }]) => [
    name,
    skipped ? '' : absolute.toExponential(2),
    skipped ? '' : relative.toExponential(2),
    note ?? (same ? 'the same' : 'different'),
  ])
  return table(
    [
      { title: `output, on ${plural}` },
      { title: 'largest difference', ...number },
      { title: 'relative', ...number },
      { title: '' },
    ],
    rows,
    width,
  )
}

function classifiersText({ classifiers }: Compared): string {
  if (!classifiers) return ''
  const { rows, accuracy, agreement, mcnemar } = classifiers
  return facts([
    ['accuracy', `a ${percent(accuracy.a)} %, b ${percent(accuracy.b)} % of ${whole(rows)} rows`],
    ['agreement', `${percent(agreement)} %`],
    ['McNemar', `only a right ${whole(mcnemar.onlyFirst)}, only b ${whole(mcnemar.onlySecond)}; ${pValue(mcnemar.p)}`],
  ])
}
