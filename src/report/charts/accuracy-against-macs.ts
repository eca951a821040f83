import * as Plot from '@observablehq/plot'
import { chosenModel, shownMetrics, shownPart } from '../findings.ts'
import { compact, percent } from '../format.ts'
import { type Child, html, type Markup, printable } from '../markup.ts'
import type { RunModel, RunRecord } from '../run-record.ts'
import { accuracyAxis, accuracyHeight } from './accuracy-axis.ts'
import { chart, fontSize, type PlotOptions } from './chart.ts'
import { paretoFront } from './pareto-front.ts'
import { type Frame, type Placement, placeLabels } from './place-labels.ts'
import { fitText, textWidth } from './text.ts'
import { decadeTicks, logScale } from './ticks.ts'

const kinds = {
  member: { symbol: 'circle', color: 'var(--member)', title: 'member' },
  ensemble: { symbol: 'triangle', color: 'var(--ensemble)', title: 'ensemble' },
  compact: { symbol: 'square', color: 'var(--compact)', title: 'compact' },
} as const

interface Spot {
  readonly model: RunModel
  readonly macs: number
  readonly accuracy: number
  readonly chosen: boolean
}

/** Every model by its cost (MACs, logarithmic) and its accuracy, with the line of those that none beats at its cost. */
export function accuracyAgainstMacs(record: RunRecord): Markup | undefined {
  const chosen = chosenModel(record)
  const spots = record.models.flatMap((model): Spot[] => {
    const accuracy = shownMetrics(record, model)?.accuracy
    return model.macs && accuracy !== undefined ? [{ model, macs: model.macs, accuracy, chosen: model === chosen }] : []
  })
  if (spots.length < 2) return undefined
  spots.sort((a, b) => a.macs - b.macs)
  const front = paretoFront(spots, { cost: spot => spot.macs, value: spot => spot.accuracy })
  const description = spots
    .map(s => `${s.model.name} (${kinds[s.model.kind].title}): ${compact(s.macs)} MACs, ${percent(s.accuracy)} %`)
    .join('; ')
  const text = {
    id: 'accuracy-against-macs',
    title: `Accuracy on ${shownPart(record)} against multiply-accumulate operations`,
    description: `${description}. None is both cheaper and more accurate than ${front.map(s => s.model.name).join(', ')}.`,
  }
  const drawing = chart(
    text,
    { wide: 1120, narrow: 344 },
    width => plan(spots, front, layOut(spots, width)),
    width => key(spots, layOut(spots, width)),
  )
  return html`${legend(spots)}${drawing}`
}

interface Axes {
  readonly width: number
  readonly height: number
  readonly frame: Frame
  readonly x: ReturnType<typeof logScale>
  readonly y: ReturnType<typeof accuracyAxis>
}

interface Label extends Placement {
  readonly text: string
  readonly point: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
}

interface Layout extends Axes {
  readonly labels: readonly Label[]
  /** True if there is no room for names, and the labels are numbers. */
  readonly numbered: boolean
}

function layOut(spots: readonly Spot[], width: number): Layout {
  const axes = axesOf(spots, width)
  const names = labelsOf(spots, axes, ({ model }) =>
    fitText(printable(model.name), Math.min(180, width * 0.4), fontSize),
  )
  if (names) return { ...axes, labels: names, numbered: false }
  return { ...axes, labels: labelsOf(spots, axes, (_, i) => String(i + 1)) ?? [], numbered: true }
}

function axesOf(spots: readonly Spot[], width: number): Axes {
  const height = width > 600 ? 420 : 380
  const frame = { left: 64, top: 26, right: width - 16, bottom: height - 44 }
  const macs = spots.map(spot => spot.macs)
  const low = Math.min(...macs) / 1.6
  const high = Math.max(...macs) * 1.6
  const ticks = decadeTicks(low, high)
  const shown = width > 600 ? ticks : ticks.filter(tick => Number.isInteger(Math.log10(tick)))
  const x = { ...logScale(low, high, shown, compact), label: 'MACs per example →', range: [frame.left, frame.right] }
  const accuracies = spots.map(spot => spot.accuracy)
  const y = { ...accuracyAxis(accuracies, '↑ accuracy'), range: [frame.bottom - 14, frame.top + 10] }
  return { width, height, frame, x, y }
}

function labelsOf(
  spots: readonly Spot[],
  { x, y, frame }: Axes,
  textOf: (spot: Spot, index: number) => string,
): Label[] | undefined {
  const xScale = Plot.scale({ x })
  const yScale = Plot.scale({ y })
  const texts = spots.map(textOf)
  const points = spots.map(({ macs, accuracy, chosen }, i) => ({
    x: xScale.apply(Math.log10(macs)),
    y: yScale.apply(accuracyHeight(accuracy)),
    radius: chosen ? 11 : 7,
    width: textWidth(texts[i]!, fontSize),
    height: fontSize + 3,
  }))
  return placeLabels(points, frame)?.map((place, i) => ({ ...place, text: texts[i]!, point: points[i]! }))
}

function plan(spots: readonly Spot[], front: readonly Spot[], layout: Layout): PlotOptions {
  const { width, height, frame, x, y, labels } = layout
  const place = { x: (spot: Spot) => Math.log10(spot.macs), y: (spot: Spot) => accuracyHeight(spot.accuracy) }
  const pixels = <T>(value: (item: T) => number) => ({ value, scale: null })
  const ends = labels.filter(label => label.leader).map(label => ({ from: label.point, to: nearestOnBox(label) }))
  return {
    width,
    height,
    marginLeft: frame.left,
    marginRight: width - frame.right,
    marginTop: frame.top,
    marginBottom: height - frame.bottom,
    x,
    y,
    marks: [
      Plot.line(front, {
        ...place,
        curve: 'step-after',
        stroke: 'var(--ink)',
        strokeOpacity: 0.45,
        strokeDasharray: '3 3',
      }),
      Plot.link(ends, {
        x1: pixels(end => end.from.x),
        y1: pixels(end => end.from.y),
        x2: pixels(end => end.to.x),
        y2: pixels(end => end.to.y),
        stroke: 'var(--muted)',
        strokeOpacity: 0.6,
      }),
      ...Object.entries(kinds).map(([kind, { symbol, color }]) =>
        Plot.dot(
          spots.filter(spot => spot.model.kind === kind),
          { ...place, symbol, r: 5.5, fill: color, stroke: 'var(--page)', title: tooltip },
        ),
      ),
      Plot.dot(
        spots.filter(spot => spot.chosen),
        { ...place, r: 10, stroke: 'var(--ink)', strokeWidth: 1.5 },
      ),
      Plot.text(labels, {
        x: pixels(label => label.x),
        y: pixels(label => label.y),
        text: 'text',
        fill: 'var(--ink)',
        stroke: 'var(--page)',
        strokeWidth: 4,
        fontSize,
      }),
    ],
  }
}

/** The names behind the numbers, where there is no room for names. */
function key(spots: readonly Spot[], { numbered }: Layout): Child {
  if (!numbered) return null
  return html`<ol class="key">${spots.map(spot => html`<li>${spot.model.name}</li>`)}</ol>`
}

function tooltip({ model, macs, accuracy }: Spot): string {
  return printable(`${model.name}: ${percent(accuracy)} %, ${compact(macs)} MACs`)
}

/** The point of a label's box that is nearest to what it labels. */
function nearestOnBox({ x, y, point }: Label): { readonly x: number; readonly y: number } {
  const clamp = (value: number, middle: number, size: number) =>
    Math.min(Math.max(value, middle - size / 2), middle + size / 2)
  return { x: clamp(point.x, x, point.width), y: clamp(point.y, y, point.height) }
}

function legend(spots: readonly Spot[]): Markup {
  const shapes = {
    circle: 'M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10z',
    triangle: 'M6 0.5l5.5 10h-11z',
    square: 'M1.5 1.5h9v9h-9z',
  }
  const entries = Object.entries(kinds).filter(([kind]) => spots.some(spot => spot.model.kind === kind))
  return html`<ul class="legend">${entries.map(
    ([, { symbol, color, title }]) =>
      html`<li><svg width="12" height="12" aria-hidden="true"><path d="${shapes[symbol]}" fill="${color}"/></svg>${title}</li>`,
  )}<li><svg width="22" height="12" aria-hidden="true"><path d="M0 6h22" stroke="currentColor" stroke-dasharray="3 3"/></svg>none cheaper is better</li><li><svg width="16" height="16" aria-hidden="true"><circle cx="8" cy="8" r="7" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>chosen</li></ul>`
}
