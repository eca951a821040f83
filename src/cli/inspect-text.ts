import { formatShape } from '../base/shape.ts'
import { type OperatorRefusal, refusalColumns } from '../read/refusals.ts'
import type { Layer } from '../read/summary.ts'
import { absent, counted, fileSize, listed, measured, whole } from '../report/format.ts'
import { clean, shorten, wrap } from '../report/text.ts'
import type { Inspection } from './inspect.ts'
import type { LatencyDocument } from './layer-latency.ts'
import { type Column, facts, table } from './table.ts'

const number = { align: 'right' } as const

/** How many lines a table takes that is not asked for in full. */
const most = { tensors: 5, steps: 8, times: 15 }

/** An inspection for a person, within a terminal's width. */
export function inspectionText(
  found: Inspection,
  { layers, width }: { readonly layers: boolean; readonly width: number },
): string {
  const sections = [
    overview(found, width),
    table(
      [{ title: 'value' }, { title: 'name' }, { title: 'type' }],
      [
        ...found.inputs.map(({ name, type }) => ['input', name, type]),
        ...found.outputs.map(({ name, type }) => ['output', name, type]),
      ],
      width,
    ),
    operatorsTable(found, width),
    storageTable(found, width),
    ...(layers ? [layersTable(found, width)] : []),
    ...(found.latency ? [latencyTable(found.latency, width)] : []),
    simplifiedText(found, width),
    refusalsText(found.refusals, width),
    [
      ...found.notUpgraded.map(({ node, why }) => `Not upgraded: ${node}: ${why}.`),
      ...found.problems.map(({ code, message }) => `Problem (${code}): ${message}`),
    ]
      .map(line => wrap(clean(line), width))
      .join('\n'),
  ]
  return sections.filter(section => section !== '').join('\n\n')
}

function overview(found: Inspection, width: number): string {
  const { producer, opset, uncounted, countedOnce, unsized } = found
  const sets = Object.entries(opset).map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`)
  const atLeast = uncounted || countedOnce || unsized ? 'at least ' : ''
  const size = (bytes: number | null) => (bytes === null ? absent : `${atLeast}${bytesOf(bytes)}`)
  const cut = (text: string) => shorten(clean(text), width - 13)
  const lines = facts([
    ['model', found.file],
    ...(found.name === '' ? [] : [['graph', cut(found.name)] as const]),
    [
      'size',
      `${bytesOf(found.bytes)}${found.parameterBytes ? `, ${bytesOf(found.parameterBytes)} of it parameters` : ''}`,
    ],
    ['opset', cut(sets.join(', '))],
    ...(producer ? [['producer', cut(`${producer.name} ${producer.version}`.trim())] as const] : []),
    ['nodes', whole(found.nodes)],
    ['parameters', whole(found.parameters)],
    ['MACs', cut(`${found.macs === null ? '' : atLeast}${whole(found.macs)}${sizesOf(found)}`)],
    [
      'activations',
      cut(`${size(found.peakActivationBytes)} at the peak${found.peakLayer ? `, at ${found.peakLayer}` : ''}`),
    ],
    ['traffic', `${size(found.bytesRead)} read, ${size(found.bytesWritten)} written`],
  ])
  const notes = openNotes(found)
  return notes === '' ? lines : `${lines}\n${wrap(notes, width)}`
}

/** The sizes that costs are counted for, where a model has symbols. */
function sizesOf({ sizes }: Inspection): string {
  const bound = Object.entries(sizes).map(([symbol, size]) => `${symbol}=${size}`)
  if (bound.length === 0) return ''
  return ` for ${bound.slice(0, 3).join(', ')}${bound.length > 3 ? ', ...' : ''}`
}

/** What is not in the numbers, and what sizes they are for. */
function openNotes(found: Inspection): string {
  const { uncounted, countedOnce, unsized, open, fitted, fittingSize } = found
  const left = [
    ...(uncounted ? [`the MACs of ${counted(uncounted, 'node')}`] : []),
    ...(unsized ? [`the bytes of ${counted(unsized, 'value')}`] : []),
  ]
  const what = [
    ...(left.length > 0 ? [`Not counted: ${left.join(' and ')}`] : []),
    ...(countedOnce ? [`${counted(countedOnce, 'loop')} counted for one iteration`] : []),
  ].join('; ')
  const sentences = what === '' ? [] : [open.length > 0 ? `${what}.` : `${what}: their sizes depend on the data.`]
  const wanted = open.length > 0 ? open : fitted.length > 0 ? fitted : what === '' ? smallSizes(found) : []
  const hint = `give real ones with --bind ${wanted.map(symbol => `${symbol}=...`).join(',')}`
  if (open.length > 0) sentences.push(`No size was found that fits ${listed(open)}; ${hint}`)
  else if (fitted.length > 0)
    sentences.push(`1 is too small for ${listed(fitted)}: these are for ${fittingSize}; ${hint}`)
  else if (wanted.length > 0) sentences.push(`Open sizes count as 1; ${hint}`)
  return clean(sentences.join(' '))
}

/** Open dimensions inside of examples that count as 1: an image's sides, a sequence's length. */
function smallSizes({ inputs, sizes }: Inspection): readonly string[] {
  const inner = inputs.flatMap(({ name, shape }) => (shape ?? []).slice(1).map((dim, i) => dim || `${name}:${i + 1}`))
  return [...new Set(inner.map(String))].filter(dim => sizes[dim] === 1)
}

function operatorsTable({ operators, layers }: Inspection, width: number): string {
  const sums = new Map<string, { parameters: number; macs: number }>()
  for (const { operator, parameters, macs } of layers) {
    const sum = sums.get(operator) ?? { parameters: 0, macs: 0 }
    sum.parameters += parameters
    sum.macs += macs
    sums.set(operator, sum)
  }
  return table(
    [
      { title: 'operator' },
      { title: 'nodes', ...number },
      { title: 'parameters', ...number },
      { title: 'MACs', ...number },
    ],
    Object.entries(operators).map(([operator, count]) => [
      operator,
      String(count),
      blankZero(sums.get(operator)?.parameters),
      blankZero(sums.get(operator)?.macs),
    ]),
    width,
  )
}

function storageTable({ storage }: Inspection, width: number): string {
  if (!storage || storage.bytes === 0) return ''
  const share = (bytes: number) => inPercent(bytes / storage.bytes)
  const types = storage.dtypes
    .filter(({ bytes }) => bytes > 0)
    .map(({ dtype, bytes, tensors }) => `${dtype} ${share(bytes)} (${whole(tensors)})`)
  const shown = storage.tensors.slice(0, most.tensors)
  const left = storage.tensors.length - shown.length
  const rest = storage.bytes - shown.reduce((sum, { bytes }) => sum + bytes, 0)
  const rows = shown.map(({ name, dtype, shape, bytes, layer }) => [
    ending(name, 22),
    `${dtype}${formatShape(shape)}`,
    ending(layer ?? '', 16),
    bytesOf(bytes),
    share(bytes),
  ])
  if (left > 0) rows.push([`${whole(left)} more`, '', '', bytesOf(rest), share(rest)])
  const columns: Column[] = [
    { title: 'tensor' },
    { title: 'type' },
    { title: 'layer' },
    { title: 'bytes', ...number },
    { title: 'share', ...number },
  ]
  return `${table(columns, rows, width)}\n${wrap(`In tensors of ${types.join(', ')}.`, width)}`
}

function layersTable({ layers, latency }: Inspection, width: number): string {
  const times = new Map(latency?.layers.map(({ name, time }) => [name, time]))
  const columns: Column[] = [
    { title: 'layer' },
    { title: 'operator' },
    { title: 'output' },
    { title: 'parameters', ...number },
    { title: 'MACs', ...number },
    ...(latency ? [{ title: 'ms', ...number }] : []),
  ]
  const row = ({ name, operator, shape, parameters, macs }: Layer) => [
    ending(name, 30),
    operator,
    formatShape(shape),
    blankZero(parameters),
    blankZero(macs),
    ...(latency ? [times.has(name) ? measured(times.get(name)!) : ''] : []),
  ]
  const shown = layers.filter(({ operator }) => operator !== 'Constant')
  const lines = table(columns, shown.map(row), width)
  const left = layers.length - shown.length
  return left === 0 ? lines : `${lines}\nand ${counted(left, 'Constant node')}`
}

function latencyTable({ run, between, runs, threads, layers, unmapped }: LatencyDocument, width: number): string {
  const shown = layers.slice(0, most.times)
  const rest = layers.slice(most.times)
  const sum = (all: readonly { readonly time: number }[]) => all.reduce((total, { time }) => total + time, 0)
  const row = (name: string, what: string, time: number) => [
    ending(name, 36),
    what,
    measured(time),
    inPercent(time / run),
  ]
  const rows = shown.map(({ name, kernels, fused, time }) => {
    const kinds = [...new Set(kernels)].join(', ')
    return row(name, fused.length > 0 ? `${kinds} (+${fused.length} fused)` : kinds, time)
  })
  if (rest.length > 0) rows.push(row(`${whole(rest.length)} more`, '', sum(rest)))
  if (unmapped.length > 0) {
    const kinds = [...new Set(unmapped.map(({ kernel }) => kernel))]
    rows.push(row('of no layer', kinds.slice(0, 3).join(', '), sum(unmapped)))
  }
  rows.push(row('between nodes', '', between))
  const on = threads === null ? '' : ` on ${counted(threads, 'thread')}`
  const columns: Column[] = [
    { title: 'layer' },
    { title: 'ran as' },
    { title: 'ms', ...number },
    { title: 'share', ...number },
  ]
  return `A run takes ${measured(run)} ms${on}, the mean of ${whole(runs)}, under the profiler.\n${table(columns, rows, width)}`
}

function simplifiedText({ simplified, notSimplified, problems }: Inspection, width: number): string {
  if (!simplified) {
    const tell = notSimplified !== null && problems.length === 0 && notSimplified !== 'it was not asked for'
    return tell ? wrap(`Not known what would simplify: ${clean(notSimplified)}.`, width) : ''
  }
  const { nodes, bytes, steps } = simplified
  if (steps.length === 0) return 'sinter simplify finds nothing to do.'
  const shown = steps.slice(0, most.steps).map(({ name, changes }) => `${name} ${changes}`)
  const more = steps.length > shown.length ? `, and ${counted(steps.length - shown.length, 'step')} more` : ''
  const what = `sinter simplify: ${whole(nodes.before)} -> ${whole(nodes.after)} nodes, ${bytesOf(bytes.before)} -> ${bytesOf(bytes.after)}`
  return wrap(`${what} (${shown.join(', ')}${more}).`, width)
}

/** Bytes with the unit that suits them, few ones in full. */
function bytesOf(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : fileSize(bytes)
}

/** The end of a name that is too long: there names of one model differ. */
function ending(name: string, width: number): string {
  const shown = clean(name)
  return shown.length <= width ? shown : `…${shown.slice(1 - width)}`
}

function inPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

function blankZero(value: number | undefined): string {
  return value ? whole(value) : ''
}

const titles = {
  gradient: 'Cannot be trained through:',
  coupling: 'Cannot be pruned:',
  quantization: 'Cannot be quantized:',
  cost: 'Cannot be counted:',
} as const

/** By what cannot be done, and for what reason. */
function refusalsText(refusals: readonly OperatorRefusal[], width: number): string {
  const blocks = refusalColumns.flatMap(column => {
    const reasons = new Map<string, OperatorRefusal[]>()
    for (const one of refusals) {
      if (one.column === column) reasons.set(one.why, [...(reasons.get(one.why) ?? []), one])
    }
    if (reasons.size === 0) return []
    const lines = Array.from(reasons, ([why, all]) => {
      const names = all.map(({ operator, nodes }) => (nodes === 1 ? operator : `${operator} (${whole(nodes)})`))
      return `  ${wrap(clean(`${names.join(', ')}: ${why}`), width - 4).replaceAll('\n', '\n    ')}`
    })
    return [`${titles[column]}\n${lines.join('\n')}`]
  })
  return blocks.join('\n')
}
