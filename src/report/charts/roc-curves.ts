import * as Plot from '@observablehq/plot'
import { decimals } from '../format.ts'
import { html, type Markup, printable } from '../markup.ts'
import type { RunEvaluation } from '../run-record.ts'
import { chart, type PlotOptions } from './chart.ts'
import { evenTicks, logScale } from './ticks.ts'

type Curve = RunEvaluation['roc'][number]
type Point = readonly [falsePositives: number, truePositives: number]

/** How many curves, the lowest, are drawn; and how many of them in colour. */
const drawn = 30
const emphasised = 3
const colors = ['var(--series-1)', 'var(--series-0)', 'var(--series-2)']

/** ROC curves of one class against the rest: the corner on a logarithmic scale, and the whole square. */
export function rocCurves(evaluation: RunEvaluation): Markup | undefined {
  const defined = evaluation.roc.filter(curve => curve.auc !== null && curve.points.length > 1)
  if (defined.length === 0) return undefined
  const curves = defined.toSorted((a, b) => a.auc! - b.auc!).slice(0, drawn)
  const lowest = curves.slice(0, emphasised)
  const description = `Area under the curve: ${curves.map(c => `${c.name} ${auc(c)}`).join(', ')}.`
  const corner = { id: 'roc-corner', title: 'ROC curves, false-positive rate on a logarithmic scale', description }
  const square = { id: 'roc-square', title: 'ROC curves, whole', description }
  return html`${legend(curves, lowest, defined.length - curves.length)}<div class="panels uneven">
    ${chart(corner, { wide: 720, narrow: 344 }, width => cornerPlan(curves, lowest, width))}
    ${chart(square, { wide: 380, narrow: 344 }, width => squarePlan(curves, lowest, width))}
  </div>`
}

function cornerPlan(curves: readonly Curve[], lowest: readonly Curve[], width: number): PlotOptions {
  const rates = curves.flatMap(curve => curve.points.map(([x]) => x)).filter(x => x > 0)
  const floor = 10 ** Math.max(Math.floor(Math.log10(Math.min(...rates, 0.1))), -6)
  const decades = Array.from({ length: 1 - Math.round(Math.log10(floor)) }, (_, i) => 10 ** -i)
  const cut = (curve: Curve) => fromFloor(curve.points, floor)
  const bottom = Math.min(0.95, ...curves.map(curve => cut(curve)[0]![1]))
  const low = Math.max(0, Math.floor(bottom * 20) / 20)
  return {
    ...size(width, 360),
    x: { ...logScale(floor, 1, decades, rate), label: 'false-positive rate (log scale) →' },
    y: { ...truePositives(low), label: '↑ true-positive rate' },
    marks: lines(curves, lowest, curve => cut(curve).map(([x, y]) => [Math.log10(x), y])),
  }
}

function squarePlan(curves: readonly Curve[], lowest: readonly Curve[], width: number): PlotOptions {
  return {
    ...size(width, 360),
    x: { domain: [0, 1], label: 'false-positive rate →', ticks: evenTicks(0, 1, 5), tickFormat: rate },
    y: { ...truePositives(0), label: '↑ true-positive rate' },
    marks: [
      Plot.line(
        [
          [0, 0],
          [1, 1],
        ],
        { stroke: 'var(--muted)', strokeDasharray: '3 3', strokeOpacity: 0.6 },
      ),
      ...lines(curves, lowest, curve => curve.points),
    ],
  }
}

const size = (width: number, height: number) =>
  ({ width, height, marginLeft: 52, marginRight: 16, marginTop: 26, marginBottom: 40 }) as const

const truePositives = (low: number) => ({
  domain: [low, 1] as [number, number],
  grid: true,
  ticks: evenTicks(low, 1, 5),
  tickFormat: rate,
})

/** A rate in percent, as short as it is exact. */
const rate = (value: number) => `${Number((value * 100).toPrecision(6))} %`

function lines(curves: readonly Curve[], lowest: readonly Curve[], points: (curve: Curve) => readonly Point[]) {
  return [...curves.filter(curve => !lowest.includes(curve)), ...lowest.toReversed()].map(curve => {
    const rank = lowest.indexOf(curve)
    return Plot.line(points(curve), {
      x: ([x]: Point) => x,
      y: ([, y]: Point) => y,
      stroke: colors[rank] ?? 'var(--muted)',
      strokeOpacity: rank < 0 ? 0.5 : 1,
      strokeWidth: rank < 0 ? 1 : 1.75,
      title: () => printable(`${curve.name}: AUC ${auc(curve)}`),
    })
  })
}

/** The curve from a false-positive rate on; what it reaches before is where it starts. */
function fromFloor(points: readonly Point[], floor: number): Point[] {
  const before = points.filter(([x]) => x <= floor)
  return [[floor, before.at(-1)?.[1] ?? 0], ...points.filter(([x]) => x > floor)]
}

const auc = (curve: Curve) => decimals(5)(curve.auc)

function legend(curves: readonly Curve[], lowest: readonly Curve[], left: number): Markup {
  const line = (color: string) =>
    html`<svg width="22" height="12" aria-hidden="true"><path d="M0 6h22" stroke="${color}" stroke-width="2.5"/></svg>`
  const others = curves.length - lowest.length
  return html`<ul class="legend">${lowest.map((curve, i) => html`<li>${line(colors[i]!)}${curve.name} (AUC ${auc(curve)})</li>`)}${
    others > 0 &&
    html`<li>${line('var(--muted)')}${others} other ${others === 1 ? 'class' : 'classes'}${left > 0 && `, ${left} higher ones left out`}</li>`
  }</ul>`
}
