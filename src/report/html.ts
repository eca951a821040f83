import { accuracyAgainstMacs } from './charts/accuracy-against-macs.ts'
import { confusionMatrix } from './charts/confusion-matrix.ts'
import { learningCurves } from './charts/learning-curves.ts'
import { rocCurves } from './charts/roc-curves.ts'
import { bestMember, chosenModel, shownMetrics, shownPart, statusSentence } from './findings.ts'
import { listed, percent } from './format.ts'
import { type Child, html, type Markup, trusted } from './markup.ts'
import type { RunChoice, RunRecord } from './run-record.ts'
import { classScores } from './sections/class-scores.ts'
import { compaction } from './sections/compaction.ts'
import { facts } from './sections/facts.ts'
import { instant, reproduction } from './sections/reproduction.ts'
import { results } from './sections/results.ts'
import { selection } from './sections/selection.ts'
import { style } from './style.ts'

interface Section {
  readonly id: string
  readonly title: string
  readonly content: Child
  /** Longer than a printed page may be. */
  readonly long?: boolean
}

/**
 * A run as one HTML file that needs nothing else: no script, no network, drawings inline. Sections without data, as in
 * an interrupted run, are left out. All text from the record is escaped.
 */
export function renderReport(record: RunRecord): string {
  const sections = sectionsOf(record).filter(section => section.content)
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="generator" content="Sinter ${record.versions.sinter}">
<title>${record.name}: Sinter run of ${instant(record.started)}</title>
<style>${trusted(style)}</style>
</head>
<body>
<header>
${headline(record)}
<nav aria-label="Sections"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
</header>
<main>
${sections.map(
  ({ id, title, content, long }) =>
    html`<section id="${id}"${long && html` class="long"`} aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}
</section>
`,
)}</main>
<footer>Written by Sinter ${record.versions.sinter}. All numbers are in run.json beside this file.</footer>
</body>
</html>
`
  return page.text
}

function headline(record: RunRecord): Markup {
  const { choice } = record
  // A run of one member ends without a choice.
  const model = chosenModel(record) ?? (record.status === 'complete' ? bestMember(record) : undefined)
  const accuracy = model && shownMetrics(record, model)?.accuracy
  const title =
    model && accuracy !== undefined
      ? `${percent(accuracy)} % of ${shownPart(record)} ${record.data.unit} right with ${choice ? choiceTitle(choice) : model.name}`
      : `${record.name}: no choice yet`
  return html`<p class="eyebrow">Sinter run <b>${record.name}</b>, ${instant(record.started)}</p>
<h1>${title}</h1>
${record.status === 'interrupted' && html`<p class="banner" role="note">${statusSentence(record)} What follows is what there is.</p>`}
${choice && html`<p class="lead">${choiceParts(choice)} ${choice.reason}</p>`}
${facts(record)}`
}

/** "weighted-average of three models", or the name of a single one. */
function choiceTitle({ method, members }: RunChoice): string {
  const counts = ['two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
  const [first, ...others] = members
  return others.length === 0 ? `${first} alone` : `${method} of ${counts[members.length - 2] ?? members.length} models`
}

/** The members of the choice with their weights. */
function choiceParts({ members, weights }: RunChoice): Child {
  if (members.length === 1) return null
  const sum = weights?.reduce((total, weight) => total + weight, 0)
  const parts = members.map((name, i) => (weights && sum ? `${name} (weight ${(weights[i]! / sum).toFixed(3)})` : name))
  return html`Combined from ${listed(parts)}.`
}

function sectionsOf(record: RunRecord): Section[] {
  const part = shownPart(record)
  const evaluation = record.evaluation.find(e => e.model === record.choice?.name) ?? record.evaluation[0]
  const reference = record.evaluation.find(e => e.model === bestMember(record)?.name && e !== evaluation)
  const table = results(record)
  const plot = accuracyAgainstMacs(record)
  const curves = learningCurves(record)
  const roc = evaluation && rocCurves(evaluation)
  return [
    {
      id: 'results',
      title: 'Results',
      content:
        table &&
        html`<p>Quality on the ${part} part; latency of one example on one thread, throughput in batches of 64. The best of each column is bold.</p>${table}`,
    },
    {
      id: 'cost',
      title: 'Accuracy against cost',
      content: plot && html`<p>Equal distances upwards are equal factors of error.</p>${plot}`,
    },
    {
      id: 'learning',
      title: 'Learning curves',
      content:
        curves &&
        html`<p>Dotted: loss on the training part; solid: on validation. A dot marks the epoch whose weights were kept.</p>${curves}`,
    },
    { id: 'compaction', title: 'Compaction', content: compaction(record) },
    { id: 'selection', title: 'Candidates', content: selection(record), long: true },
    {
      id: 'classes',
      title: 'Class by class',
      long: true,
      content:
        evaluation &&
        html`<p>Where ${evaluation.model} errs on the ${part} part. Rows are labels, columns predictions; blue is the share of a row that is right, orange, on a scale of its own, what is taken for another class.</p><div class="panels">${confusionMatrix(evaluation)}${classScores(evaluation, reference)}</div>`,
    },
    {
      id: 'roc',
      title: 'ROC curves',
      content:
        roc &&
        html`<p>Each class of ${evaluation?.model} against the rest; the classes with the lowest area in colour. On the left the corner where good classifiers differ.</p>${roc}`,
    },
    {
      id: 'reproduce',
      title: 'Reproduction',
      content: reproduction(record),
    },
  ]
}
