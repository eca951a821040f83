import * as Plot from '@observablehq/plot'
import { chosenModel, shownMetrics, shownPart } from '../findings.ts'
import { compact, percent } from '../format.ts'
import { html, type Markup, printable } from '../markup.ts'
import type { RunModel, RunRecord } from '../run-record.ts'
import { accuracyAxis, errorOf } from './accuracy-axis.ts'
import { chart, fontSize, type PlotOptions } from './chart.ts'
import { paretoFront } from './pareto-front.ts'
import { placeLabels } from './place-labels.ts'
import { fitText, textWidth } from './text.ts'
import { decadeTicks } from './ticks.ts'

const kinds = {
  member: { symbol: 'circle', color: 'var(--member)', title: 'member' },
  ensemble: { symbol: 'triangle', color: 'var(--ensemble)', title: 'ensemble' },
  compact: { symbol: 'square', color: 'var(--compact)', title: 'compact' },
} as const

interface Spot {
  readonly model: RunModel
  readonly macs: number
  readonly accuracy: number
}

/** Every model by its cost (MACs, logarithmic) and its accuracy, with the line of those that none beats at its cost. */
export function accuracyAgainstMacs(record: RunRecord): Markup | undefined {
  const spots = record.models.flatMap((model): Spot[] => {
    const accuracy = shownMetrics(record, model)?.accuracy
    return model.macs && accuracy !== undefined ? [{ model, macs: model.macs, accuracy }] : []
  })
  if (spots.length < 2) return undefined
  const front = paretoFront(spots, { cost: spot => spot.macs, value: spot => spot.accuracy })
  const part = shownPart(record)
  const description = spots
    .map(s => `${s.model.name} (${kinds[s.model.kind].title}): ${compact(s.macs)} MACs, ${percent(s.accuracy)} %`)
    .join('; ')
  const text = {
    id: 'accuracy-against-macs',
    title: `Accuracy on ${part} against multiply-accumulate operations`,
    description: `${description}. None is both cheaper and more accurate than ${front.map(s => s.model.name).join(', ')}.`,
  }
  const drawing = chart(text, { wide: 1040, narrow: 344 }, width => plan(spots, front, chosenModel(record), width))
  return html`${legend(spots)}${drawing}`
}

function plan(
  spots: readonly Spot[],
  front: readonly Spot[],
  chosen: RunModel | undefined,
  width: number,
): PlotOptions {
  const height = width > 600 ? 420 : 380
  const frame = { left: 64, top: 26, right: width - 16, bottom: height - 44 }
  const macs = spots.map(spot => spot.macs)
  const domain: [number, number] = [Math.min(...macs) / 1.6, Math.max(...macs) * 1.6]
  const x: Plot.ScaleOptions = { type: 'log', domain, range: [frame.left, frame.right] }
  const accuracies = spots.map(spot => spot.accuracy)
  const y = {
    ...accuracyAxis(accuracies, '↑ accuracy'),
    range: [frame.bottom - 14, frame.top + 10] as [number, number],
  }
  const xScale = Plot.scale({ x })
  const yScale = Plot.scale({ y })

  const labels = spots.map(({ model }) => fitText(printable(model.name), Math.min(180, width * 0.4), fontSize))
  const points = spots.map(({ macs, accuracy }, i) => ({
    x: xScale.apply(macs),
    y: yScale.apply(errorOf(accuracy)),
    radius: 6,
    width: textWidth(labels[i]!, fontSize),
    height: fontSize + 3,
  }))
  const placed = placeLabels(points, frame).map((place, i) => ({ ...place, text: labels[i]!, point: points[i]! }))
  const toX = (pixels: number) => xScale.invert!(pixels)
  const toY = (pixels: number) => yScale.invert!(pixels)
  const inPixels = { x1: 'x1', y1: 'y1', x2: 'x2', y2: 'y2' }
  const leaders = placed
    .filter(label => label.leader)
    .map(label => {
      const end = nearestOnBox(label.point, label)
      return { x1: toX(label.point.x), y1: toY(label.point.y), x2: toX(end.x), y2: toY(end.y) }
    })
  const ticks = decadeTicks(...domain)
  return {
    width,
    height,
    marginLeft: frame.left,
    marginRight: width - frame.right,
    marginTop: frame.top,
    marginBottom: height - frame.bottom,
    x: {
      ...x,
      ticks: width > 600 ? ticks : ticks.filter(isPowerOfTen),
      tickFormat: tick => compactTick(tick),
      label: 'MACs per example →',
    },
    y,
    marks: [
      Plot.line(front, {
        x: 'macs',
        y: spot => errorOf(spot.accuracy),
        curve: 'step-after',
        stroke: 'var(--ink)',
        strokeOpacity: 0.45,
        strokeDasharray: '3 3',
      }),
      Plot.link(leaders, { ...inPixels, stroke: 'var(--muted)', strokeOpacity: 0.6 }),
      ...Object.entries(kinds).map(([kind, { symbol, color }]) =>
        Plot.dot(
          spots.filter(spot => spot.model.kind === kind),
          {
            x: 'macs',
            y: spot => errorOf(spot.accuracy),
            symbol,
            r: 5.5,
            fill: color,
            stroke: 'var(--page)',
            title: tooltip,
          },
        ),
      ),
      Plot.dot(
        spots.filter(spot => spot.model === chosen),
        { x: 'macs', y: spot => errorOf(spot.accuracy), r: 10, stroke: 'var(--ink)', strokeWidth: 1.5 },
      ),
      Plot.text(placed, {
        x: label => toX(label.x),
        y: label => toY(label.y),
        text: 'text',
        fill: 'var(--ink)',
        stroke: 'var(--page)',
        strokeWidth: 4,
        fontSize,
      }),
    ],
  }
}

function tooltip({ model, macs, accuracy }: Spot): string {
  return printable(`${model.name}: ${percent(accuracy)} %, ${compact(macs)} MACs`)
}

const isPowerOfTen = (value: number) => Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6)

const compactTick = (value: number) => compact(value).replace(/\.?0+(?=[kMGT])/, '')

function nearestOnBox(
  point: { x: number; y: number },
  box: { x: number; y: number; point: { width: number; height: number } },
) {
  const clamp = (value: number, middle: number, size: number) =>
    Math.min(Math.max(value, middle - size / 2), middle + size / 2)
  return { x: clamp(point.x, box.x, box.point.width), y: clamp(point.y, box.y, box.point.height) }
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
