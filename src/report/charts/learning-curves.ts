import * as Plot from '@observablehq/plot'
import { percent } from '../format.ts'
import { html, type Markup, printable } from '../markup.ts'
import type { RunEpoch, RunModel, RunRecord } from '../run-record.ts'
import { accuracyAxis, accuracyHeight } from './accuracy-axis.ts'
import { chart, type PlotOptions } from './chart.ts'
import { seriesStyle } from './palette.ts'
import { evenTicks, logRange, logScale, logTicks } from './ticks.ts'

const widths = { wide: 550, narrow: 344 }

/** What is drawn: how to find it in an epoch, where it is on its axis, and how it reads. */
interface Series {
  readonly of: (epoch: RunEpoch) => number | null | undefined
  readonly height: (value: number) => number
  readonly format: (value: number) => string
}

const loss = {
  height: (value: number) => Math.log10(Math.max(value, 1e-6)),
  format: (value: number) => value.toPrecision(3),
}
const trainingLoss: Series = { ...loss, of: e => e.loss }
const validationLoss: Series = { ...loss, of: e => e.validation?.logLoss }
const validationAccuracy: Series = {
  of: e => e.validation?.accuracy,
  height: accuracyHeight,
  format: value => `${percent(value)} %`,
}

interface Point {
  readonly epoch: number
  readonly value: number
  readonly best: boolean
}

const pointsOf = (series: Series, { history }: RunModel): Point[] =>
  history.flatMap(e => {
    const value = series.of(e)
    return typeof value === 'number' ? [{ epoch: e.epoch, value, best: e.best }] : []
  })

/** Loss and validation accuracy over the epochs, for every model that was trained. */
export function learningCurves(record: RunRecord): Markup | undefined {
  const trained = record.models.filter(model => model.history.length > 0)
  if (trained.length === 0) return undefined
  const panels = [losses(trained), accuracies(trained)].filter(panel => panel !== undefined)
  return html`${legend(trained)}<div class="panels">${panels}</div>`
}

function losses(models: readonly RunModel[]): Markup | undefined {
  const drawn = models.flatMap(model => [...pointsOf(trainingLoss, model), ...pointsOf(validationLoss, model)])
  if (drawn.length === 0) return undefined
  const [low, high] = logRange(drawn.map(point => Math.max(point.value, 1e-6)))
  const text = { id: 'loss', title: 'Loss by epoch', description: summary(models, trainingLoss) }
  return chart(text, widths, width => ({
    ...common(models, width),
    y: { ...logScale(low, high, logTicks(low, high), String), grid: true, label: '↑ loss' },
    marks: models.flatMap((model, i) => [
      Plot.line(pointsOf(trainingLoss, model), {
        x: 'epoch',
        y: point => trainingLoss.height(point.value),
        stroke: seriesStyle(i).color,
        strokeWidth: 1,
        strokeDasharray: '1.5 2.5',
      }),
      ...curve(model, i, validationLoss),
    ]),
  }))
}

function accuracies(models: readonly RunModel[]): Markup | undefined {
  const values = models.flatMap(model => pointsOf(validationAccuracy, model).map(point => point.value))
  if (values.length === 0) return undefined
  const text = {
    id: 'validation-accuracy',
    title: 'Validation accuracy by epoch',
    description: summary(models, validationAccuracy),
  }
  return chart(text, widths, width => ({
    ...common(models, width),
    y: accuracyAxis(values, '↑ validation accuracy'),
    marks: models.flatMap((model, i) => curve(model, i, validationAccuracy)),
  }))
}

/** A line through the epochs, and a dot on the one whose weights were kept. */
function curve(model: RunModel, index: number, series: Series) {
  const points = pointsOf(series, model)
  const place = { x: 'epoch', y: (point: Point) => series.height(point.value) }
  const { color, dash } = seriesStyle(index)
  const title = ({ epoch, value }: Point) => printable(`${model.name}, epoch ${epoch}: ${series.format(value)}`)
  const dots = points.length === 1 ? points : points.filter(point => point.best)
  return [
    Plot.line(points, { ...place, stroke: color, strokeWidth: 1.75, ...(dash && { strokeDasharray: dash }) }),
    Plot.dot(dots, { ...place, r: 3.5, fill: color, stroke: 'var(--page)', title }),
  ]
}

function common(models: readonly RunModel[], width: number): PlotOptions {
  const last = Math.max(...models.map(m => m.history.at(-1)!.epoch))
  return {
    width,
    height: 300,
    marginLeft: 58,
    marginRight: 14,
    marginTop: 26,
    marginBottom: 40,
    x: {
      domain: last > 1 ? [1, last] : [0.5, 1.5],
      ticks: last > 1 ? evenTicks(1, last, Math.min(last - 1, 8)).filter(Number.isInteger) : [1],
      tickFormat: (tick: number) => String(tick),
      label: 'epoch →',
    },
  }
}

/** Each model at its best epoch, in words. */
function summary(models: readonly RunModel[], series: Series): string {
  const ends = models.map(model => {
    const points = pointsOf(series, model)
    const shown = points.find(point => point.best) ?? points.at(-1)
    return `${model.name}: ${shown ? `${series.format(shown.value)} at epoch ${shown.epoch}` : 'not measured'}`
  })
  return ends.join('; ')
}

function legend(models: readonly RunModel[]): Markup {
  return html`<ul class="legend">${models.map((model, i) => {
    const { color, dash } = seriesStyle(i)
    return html`<li><svg width="22" height="12" aria-hidden="true"><path d="M0 6h22" stroke="${color}" stroke-width="2.5"${dash && html` stroke-dasharray="${dash}"`}/></svg>${model.name}</li>`
  })}</ul>`
}
