import { strip, stripDomain } from '../charts/strip.ts'
import { percent, whole } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import type { RunEvaluation } from '../run-record.ts'
import { axisTitle, dataTable } from './data-table.ts'

type ClassScore = RunEvaluation['classes'][number]

/** Precision, recall and F1 class by class; F1 drawn beside that of another model. */
export function classScores(shown: RunEvaluation, reference: RunEvaluation | undefined): Markup {
  const domain = stripDomain([...shown.classes, ...(reference?.classes ?? [])].map(c => c.f1))
  const referenceOf = new Map(shown.classes.map((c, i) => [c, reference?.classes[i]?.f1]))
  const table = dataTable<ClassScore>({
    label: 'Quality on each class',
    nameTitle: 'Class',
    name: c => c.name,
    columns: [
      { title: html`Precision<br>%`, cell: c => percent(c.precision) },
      { title: html`Recall<br>%`, cell: c => percent(c.recall) },
      { title: html`F1<br>%`, cell: c => html`<b>${percent(c.f1)}</b>` },
      {
        title: axisTitle('F1, drawn', percent(domain[0]), percent(domain[1])),
        className: 'axis',
        cell: c => strip({ domain, value: c.f1, reference: referenceOf.get(c), strong: true }),
      },
      { title: 'Support', cell: c => whole(c.support) },
    ],
    groups: [shown.classes],
  })
  return html`<div>${table}${reference && html`<p class="key">F1 of ${shown.model} filled, of ${reference.model} hollow.</p>`}</div>`
}
