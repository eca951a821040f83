import * as Plot from '@observablehq/plot'
import { percent } from '../format.ts'
import { html, type Markup, printable } from '../markup.ts'
import type { RunEpoch, RunModel, RunRecord } from '../run-record.ts'
import { accuracyAxis, errorOf } from './accuracy-axis.ts'
import { chart, type PlotOptions } from './chart.ts'
import { seriesStyle } from './palette.ts'
import { evenTicks, logTicks } from './ticks.ts'

const widths = { wide: 510, narrow: 344 }

interface Measured {
  readonly epoch: number
  readonly value: number
  readonly best: boolean
}

type Curve = (history: readonly RunEpoch[]) => Measured[]

const pick =
  (of: (epoch: RunEpoch) => number | null | undefined): Curve =>
  history =>
    history.flatMap(e => {
      const value = of(e)
      return typeof value === 'number' ? [{ epoch: e.epoch, value, best: e.best }] : []
    })

const trainingLoss = pick(e => Math.max(e.loss, 1e-6))
const validationLoss = pick(e => (e.validation?.logLoss ? Math.max(e.validation.logLoss, 1e-6) : null))
const validationAccuracy = pick(e => e.validation?.accuracy)

/** Loss and validation accuracy over the epochs, for every model that was trained. */
export function learningCurves(record: RunRecord): Markup | undefined {
  const trained = record.models.filter(model => model.history.length > 0)
  if (trained.length === 0) return undefined
  const panels = [losses(trained), accuracies(trained)].filter(panel => panel !== undefined)
  return html`${legend(trained)}<div class="panels">${panels}</div>`
}

function losses(models: readonly RunModel[]): Markup | undefined {
  const values = models.flatMap(m => [...trainingLoss(m.history), ...validationLoss(m.history)].map(p => p.value))
  if (values.length === 0) return undefined
  const low = Math.min(...values) / 1.1
  const high = Math.max(...values) * 1.1
  const y: PlotOptions['y'] = {
    type: 'log',
    domain: [low, high],
    grid: true,
    label: '↑ loss',
    ticks: logTicks(low, high),
    tickFormat: (tick: number) => String(tick),
  }
  const text = {
    id: 'loss',
    title: 'Loss by epoch',
    description: models.map(m => endOf(m, 'loss', trainingLoss, v => v.toPrecision(3))).join('; '),
  }
  return chart(text, widths, width => ({
    ...common(models, width),
    y,
    marks: models.flatMap((model, i) => [
      Plot.line(trainingLoss(model.history), {
        x: 'epoch',
        y: 'value',
        stroke: seriesStyle(i).color,
        strokeWidth: 1,
        strokeDasharray: '1.5 2.5',
      }),
      ...curve(
        model,
        i,
        validationLoss,
        p => p.value,
        v => v.toPrecision(3),
      ),
    ]),
  }))
}

function accuracies(models: readonly RunModel[]): Markup | undefined {
  const values = models.flatMap(m => validationAccuracy(m.history).map(p => p.value))
  if (values.length === 0) return undefined
  const text = {
    id: 'validation-accuracy',
    title: 'Validation accuracy by epoch',
    description: models.map(m => endOf(m, 'accuracy', validationAccuracy, v => `${percent(v)} %`)).join('; '),
  }
  return chart(text, widths, width => ({
    ...common(models, width),
    y: accuracyAxis(values, '↑ validation accuracy'),
    marks: models.flatMap((model, i) =>
      curve(
        model,
        i,
        validationAccuracy,
        p => errorOf(p.value),
        v => `${percent(v)} %`,
      ),
    ),
  }))
}

/** A line through the epochs, and a dot on the one whose weights were kept. */
function curve(
  model: RunModel,
  index: number,
  of: Curve,
  y: (point: Measured) => number,
  format: (value: number) => string,
) {
  const points = of(model.history)
  const { color, dash } = seriesStyle(index)
  const title = (point: Measured) => printable(`${model.name}, epoch ${point.epoch}: ${format(point.value)}`)
  return [
    Plot.line(points, { x: 'epoch', y, stroke: color, strokeWidth: 1.75, ...(dash ? { strokeDasharray: dash } : {}) }),
    Plot.dot(points.length === 1 ? points : points.filter(point => point.best), {
      x: 'epoch',
      y,
      r: 3.5,
      fill: color,
      stroke: 'var(--page)',
      title,
    }),
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

function endOf(model: RunModel, what: string, of: Curve, format: (value: number) => string): string {
  const points = of(model.history)
  const shown = points.find(point => point.best) ?? points.at(-1)
  return shown ? `${model.name}: ${what} ${format(shown.value)} at epoch ${shown.epoch}` : `${model.name}: not measured`
}

function legend(models: readonly RunModel[]): Markup {
  return html`<ul class="legend">${models.map((model, i) => {
    const { color, dash } = seriesStyle(i)
    return html`<li><svg width="22" height="12" aria-hidden="true"><path d="M0 6h22" stroke="${color}" stroke-width="2.5"${dash && html` stroke-dasharray="${dash}"`}/></svg>${model.name}</li>`
  })}</ul>`
}
