import { compactionSentence, costRatio } from '../findings.ts'
import { compact, fileSize, measured, percent, points, shareOf } from '../format.ts'
import { type Child, html, type Markup } from '../markup.ts'
import type { RunRecord, RunSnapshot } from '../run-record.ts'
import { dataTable } from './data-table.ts'

interface Cost {
  readonly title: string
  readonly of: (state: RunSnapshot) => number | null | undefined
  readonly format: (value: number | null | undefined) => string
}

const costs: readonly Cost[] = [
  { title: 'MACs', of: state => state.macs, format: compact },
  { title: 'Parameters', of: state => state.parameters, format: compact },
  { title: 'Bytes', of: state => state.bytes, format: fileSize },
  { title: 'p50 ms', of: state => state.latency?.p50, format: measured },
]

interface State {
  readonly name: string
  readonly what: string
  readonly note: string | null
  readonly after: RunSnapshot
  /** Change of accuracy by the step; none for the start. */
  readonly change?: number
}

/** The model before compaction, and after each step. */
export function compaction(record: RunRecord): Markup | undefined {
  const made = record.compact
  if (!made || made.steps.length === 0) return undefined
  const start = made.steps[0]!.before
  const states: State[] = [
    { name: made.from, what: 'where it starts', note: null, after: start },
    ...made.steps.map(step => ({
      ...step,
      change: step.after.validationAccuracy - step.before.validationAccuracy,
    })),
  ]
  const table = dataTable<State>({
    label: 'Steps of compaction',
    nameTitle: 'After the step',
    name: state => state.name,
    detail: ({ what, note }) => [what, note && ` (${note})`],
    columns: [
      { title: html`Validation<br>accuracy %`, cell: accuracyCell },
      ...costs.map(cost => ({ title: cost.title, cell: ({ after }: State) => costCell(cost, after, start) })),
    ],
    groups: [states],
  })
  return html`<p>${compactionSentence(record)} The table gives costs also in percent of the start, and the change of accuracy by each step.</p>${table}`
}

function accuracyCell({ after, change }: State): Child {
  const text = percent(after.validationAccuracy)
  if (change === undefined) return text
  const direction = change < -0.00005 ? 'worse' : change > 0.00005 ? 'better' : 'same'
  return html`${text}<br><small class="${direction}">${points(change)}</small>`
}

function costCell({ of, format }: Cost, state: RunSnapshot, start: RunSnapshot): Child {
  const share = costRatio(of(state), of(start))
  if (share === undefined) return format(of(state))
  const length = Math.min(share * 100, 100).toFixed(1)
  return html`${format(of(state))} <small>${shareOf(of(state), of(start))}</small><span class="bar"><i style="width:${length}%"></i></span>`
}
