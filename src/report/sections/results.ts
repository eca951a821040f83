import { chosenModel, shownMetrics } from '../findings.ts'
import { compact, decimals, kilobytes, measured, percent } from '../format.ts'
import { type Child, html, type Markup } from '../markup.ts'
import type { RunModel, RunRecord } from '../run-record.ts'
import { dataTable } from './data-table.ts'

interface Measure {
  readonly title: Child
  readonly value: (model: RunModel) => number | null | undefined
  readonly format: (value: number | null | undefined) => string
  readonly better: 'low' | 'high'
}

/** Every model with its quality and its cost; the best value of each column is bold. */
export function results(record: RunRecord): Markup | undefined {
  if (record.models.length === 0) return undefined
  const metrics = (model: RunModel) => shownMetrics(record, model)
  const measures: readonly Measure[] = [
    { title: html`Accuracy<br>%`, value: m => metrics(m)?.accuracy, format: percent, better: 'high' },
    { title: html`Macro F1<br>%`, value: m => metrics(m)?.macroF1, format: percent, better: 'high' },
    { title: html`ROC<br>AUC`, value: m => metrics(m)?.rocAuc, format: decimals(5), better: 'high' },
    { title: html`Log<br>loss`, value: m => metrics(m)?.logLoss, format: decimals(4), better: 'low' },
    { title: 'ECE', value: m => metrics(m)?.ece, format: decimals(4), better: 'low' },
    { title: 'Params', value: m => m.parameters, format: compact, better: 'low' },
    { title: 'MACs', value: m => m.macs, format: compact, better: 'low' },
    { title: 'KB', value: m => m.bytes, format: kilobytes, better: 'low' },
    { title: html`p50<br>ms`, value: m => m.latency?.p50, format: measured, better: 'low' },
    { title: html`p95<br>ms`, value: m => m.latency?.p95, format: measured, better: 'low' },
    { title: html`${record.data.unit}<br>per s`, value: m => m.throughput, format: compact, better: 'high' },
    { title: html`Training<br>s`, value: m => m.trainSeconds, format: measured, better: 'low' },
  ]
  const chosen = chosenModel(record)
  return dataTable<RunModel>({
    label: 'Results of every model',
    className: 'results',
    nameTitle: 'Model',
    name: model => model.name,
    mark: model => html`<span class="kind ${model.kind}"></span>`,
    chosen: model => model === chosen,
    columns: [
      { title: 'Kind', cell: model => model.kind, className: 'kind-name' },
      ...measures.map(measure => {
        const best = bestText(measure, record.models)
        const cell = (model: RunModel) => {
          const text = measure.format(measure.value(model))
          return text === best ? html`<b>${text}</b>` : text
        }
        return { title: measure.title, cell }
      }),
    ],
    groups: (['member', 'ensemble', 'compact'] as const).map(kind => record.models.filter(m => m.kind === kind)),
  })
}

/** How the best value of a column reads; nothing where all read alike. */
function bestText({ value, format, better }: Measure, models: readonly RunModel[]): string | undefined {
  const values = models.map(value).filter(v => typeof v === 'number')
  if (new Set(values.map(format)).size < 2) return undefined
  return format(better === 'low' ? Math.min(...values) : Math.max(...values))
}
