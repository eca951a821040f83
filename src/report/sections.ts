import { strip, stripDomain } from './charts/strip.ts'
import {
  accuracyGain,
  bestMember,
  chosenModel,
  compactionSentence,
  costRatio,
  isSignificant,
  modelNamed,
  shownMetrics,
  shownPart,
} from './findings.ts'
import {
  absent,
  compact,
  decimals,
  duration,
  fileSize,
  kilobytes,
  measured,
  percent,
  points,
  pValue,
  shareOf,
  times,
  whole,
} from './format.ts'
import { type Child, html, type Markup } from './markup.ts'
import type { RunEvaluation, RunModel, RunRecord, RunSelection } from './run-record.ts'

/* The parts of the report that are text and tables. Each takes the record and gives markup, or nothing to show. */

/** A table that scrolls on a narrow screen, reachable by keyboard. */
const scrolling = (label: string, table: Markup): Markup =>
  html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${table}</div>`

/** The numbers that matter, in a row. */
export function facts(record: RunRecord): Markup | undefined {
  const chosen = chosenModel(record)
  if (!chosen) return undefined
  const best = bestMember(record)
  const accuracy = shownMetrics(record, chosen)?.accuracy
  const compared = best && best !== chosen ? best : undefined
  const gain = compared && accuracyGain(record, chosen, compared)
  const entries = [
    fact(
      `Accuracy of the choice, ${shownPart(record)}`,
      html`${percent(accuracy)} <small>%</small>`,
      compared ? `${points(gain)} points against ${compared.name}` : 'the best single member',
    ),
    compared && costFact(chosen, compared),
    significanceFact(record),
    compactionFact(record),
  ]
  return html`<dl class="facts">${entries}</dl>`
}

const fact = (title: string, figure: Child, detail: Child): Markup =>
  html`<div><dt>${title}</dt><dd class="figure">${figure}</dd><dd class="detail">${detail}</dd></div>`

function costFact(chosen: RunModel, best: RunModel): Markup {
  const latency = costRatio(chosen.latency?.p50, best.latency?.p50)
  const size = costRatio(chosen.bytes, best.bytes)
  const detail = [
    latency !== undefined && `${times(latency)} the latency`,
    size !== undefined && `${times(size)} the bytes`,
  ]
  return fact(
    `Its cost against ${best.name}`,
    html`${times(costRatio(chosen.macs, best.macs))} <small>the MACs</small>`,
    detail.filter(Boolean).join(', '),
  )
}

function significanceFact(record: RunRecord): Markup | undefined {
  const mcnemar = record.choice?.mcnemar
  if (!mcnemar) return undefined
  const { p, onlyChoice, onlyAgainst } = mcnemar
  const verdict = isSignificant(p) ? 'significant' : 'can be chance'
  return fact(
    'Exact McNemar test of the gain',
    pValue(p),
    `${verdict}: right alone on ${onlyChoice} ${record.data.unit}, wrong alone on ${onlyAgainst}`,
  )
}

function compactionFact(record: RunRecord): Markup | undefined {
  const from = modelNamed(record, record.compact?.from)
  const small = modelNamed(record, record.compact?.model)
  if (!from || !small) return undefined
  const gain = accuracyGain(record, small, from)
  return fact(
    `Compact ${from.name}`,
    html`${shareOf(small.macs, from.macs)} <small>of the MACs</small>`,
    gain === undefined ? null : `${points(gain)} points of accuracy`,
  )
}

interface ResultColumn {
  readonly title: Child
  readonly value: (model: RunModel) => number | null | undefined
  readonly format: (value: number | null | undefined) => string
  readonly better: 'low' | 'high'
}

/** Every model with its cost and its quality; the best value of each column is bold. */
export function results(record: RunRecord): Markup {
  const metrics = (model: RunModel) => shownMetrics(record, model)
  const columns: readonly ResultColumn[] = [
    { title: 'Parameters', value: m => m.parameters, format: compact, better: 'low' },
    { title: 'MACs', value: m => m.macs, format: compact, better: 'low' },
    { title: 'KB', value: m => m.bytes, format: kilobytes, better: 'low' },
    { title: html`p50<br>ms`, value: m => m.latency?.p50, format: measured, better: 'low' },
    { title: html`p95<br>ms`, value: m => m.latency?.p95, format: measured, better: 'low' },
    { title: html`${record.data.unit}<br>per s`, value: m => m.throughput, format: compact, better: 'high' },
    { title: html`Training<br>s`, value: m => m.trainSeconds, format: measured, better: 'low' },
    { title: html`Accuracy<br>%`, value: m => metrics(m)?.accuracy, format: percent, better: 'high' },
    { title: html`Macro F1<br>%`, value: m => metrics(m)?.macroF1, format: percent, better: 'high' },
    { title: html`ROC<br>AUC`, value: m => metrics(m)?.rocAuc, format: decimals(5), better: 'high' },
    { title: html`Log<br>loss`, value: m => metrics(m)?.logLoss, format: decimals(4), better: 'low' },
    { title: 'ECE', value: m => metrics(m)?.ece, format: decimals(4), better: 'low' },
  ]
  const best = columns.map(column => bestText(column, record.models))
  const chosen = chosenModel(record)
  const row = (model: RunModel) => {
    const cells = columns.map(({ value, format }, i) => {
      const text = format(value(model))
      return text === best[i] ? html`<td class="top">${text}</td>` : html`<td>${text}</td>`
    })
    const badge = model === chosen && html`<span class="badge">chosen</span>`
    return html`<tr${model === chosen && html` class="chosen"`}><th scope="row" class="name"><span class="kind ${model.kind}"></span>${model.name}${badge}</th><td class="text">${model.kind}</td>${cells}</tr>`
  }
  const groups = (['member', 'ensemble', 'compact'] as const).map(kind => record.models.filter(m => m.kind === kind))
  return scrolling(
    'Results of every model',
    html`<table class="results"><thead><tr><th scope="col">Model</th><th scope="col" class="kind-column">Kind</th>${columns.map(
      column => html`<th scope="col">${column.title}</th>`,
    )}</tr></thead>${groups.map(models => models.length > 0 && html`<tbody class="group">${models.map(row)}</tbody>`)}</table>`,
  )
}

/** How the best value of a column reads; nothing where there is only one model to compare. */
function bestText({ value, format, better }: ResultColumn, models: readonly RunModel[]): string | undefined {
  const values = models.map(value).filter(v => typeof v === 'number')
  if (values.length < 2) return undefined
  return format(better === 'low' ? Math.min(...values) : Math.max(...values))
}

/** The model before compaction, and after each step. */
export function compaction(record: RunRecord): Markup | undefined {
  const { compact: made } = record
  if (!made || made.steps.length === 0) return undefined
  const start = made.steps[0]!.before
  const states = [
    { name: made.from, what: 'the member to start from', note: null, before: start, after: start },
    ...made.steps,
  ]
  const rows = states.map(({ name, what, note, before, after }) => {
    const loss = after.validationAccuracy - before.validationAccuracy
    const cost = (
      now: number | null | undefined,
      first: number | null | undefined,
      format: (v: typeof now) => string,
    ) => {
      const share = costRatio(now, first)
      return html`<td>${format(now)}${share !== undefined && html` <small>${shareOf(now, first)}</small><span class="bar"><i style="width:${Math.min(share * 100, 100).toFixed(1)}%"></i></span>`}</td>`
    }
    return html`<tr><th scope="row" class="name">${name}</th><td class="text">${what}${note && html`<br><small>${note}</small>`}</td>${cost(
      after.parameters,
      start.parameters,
      compact,
    )}${cost(after.macs, start.macs, compact)}${cost(after.bytes, start.bytes, fileSize)}${cost(after.latency?.p50, start.latency?.p50, measured)}<td>${percent(after.validationAccuracy)}<br><small class="${loss < 0 ? 'worse' : loss > 0 ? 'better' : ''}">${after === before ? '' : points(loss)}</small></td></tr>`
  })
  return html`<p>${compactionSentence(record)} Costs in percent of the start; accuracy on validation, its change by the step below it.</p>${scrolling(
    'Steps of compaction',
    html`<table><thead><tr><th scope="col">Step</th><th scope="col" class="text">What was done</th><th scope="col">Parameters</th><th scope="col">MACs</th><th scope="col">Bytes</th><th scope="col">p50 ms</th><th scope="col">Accuracy %</th></tr></thead><tbody>${rows}</tbody></table>`,
  )}`
}

const candidatesShown = 12
const candidatesListed = 200

/** The combinations that were tried, best first, with their scores on the folds. */
export function selection(record: RunRecord): Markup | undefined {
  const { selection: tried, choice } = record
  if (!tried || tried.candidates.length === 0) return undefined
  const sign = tried.direction === 'maximize' ? -1 : 1
  const ranked = [...tried.candidates].sort((a, b) => sign * (a.mean - b.mean))
  const key = (method: string, members: readonly string[]) => JSON.stringify([method, [...members].sort()])
  const chosenKey = choice && key(choice.method, choice.members)
  const isChosen = (c: RunSelection['candidates'][number]) => key(c.method, c.members) === chosenKey
  const shown = ranked.filter((candidate, i) => i < candidatesShown || isChosen(candidate))
  const rest = ranked.filter(candidate => !shown.includes(candidate)).slice(0, candidatesListed)
  const unlisted = ranked.length - shown.length - rest.length

  const domain = stripDomain(shown.flatMap(c => [...c.scores, c.mean - c.std, c.mean + c.std]))
  const asPercent = isShare(tried)
  const score = (value: number) => (asPercent ? percent(value) : value.toFixed(4))
  const rows = shown.map(
    candidate =>
      html`<tr${isChosen(candidate) && html` class="chosen"`}><th scope="row" class="name">${candidate.method}${
        isChosen(candidate) && html`<span class="badge">chosen</span>`
      }</th><td class="text">${candidate.members.join(', ')}</td><td>${strip({
        domain,
        value: candidate.mean,
        spread: candidate.std,
        faint: candidate.scores,
        strong: isChosen(candidate),
      })}</td><td>${score(candidate.mean)} <small>± ${score(candidate.std)}</small></td></tr>`,
  )
  const metric = `${tried.metric}${asPercent ? ' %' : ''}`
  const head = html`<thead><tr><th scope="col">Method</th><th scope="col" class="text">Members</th><th scope="col" class="axis"><span class="hidden">Scores on the folds</span><span aria-hidden="true"><span>${score(domain[0])}</span><span>${score(domain[1])}</span></span></th><th scope="col">${metric}<br>mean ± std</th></tr></thead>`
  const more =
    rest.length > 0 &&
    html`<details><summary>${rest.length} more candidates</summary>${scrolling(
      'More candidates',
      html`<table><thead><tr><th scope="col">Method</th><th scope="col" class="text">Members</th><th scope="col">${metric}</th></tr></thead><tbody>${rest.map(
        c =>
          html`<tr><th scope="row">${c.method}</th><td class="text">${c.members.join(', ')}</td><td>${score(c.mean)} <small>± ${score(c.std)}</small></td></tr>`,
      )}</tbody></table>`,
    )}${unlisted > 0 && html`<p>${unlisted} more are in run.json.</p>`}</details>`
  return html`<p>${whole(ranked.length)} ${ranked.length === 1 ? 'candidate' : 'candidates'} by stratified ${tried.folds}-fold cross-validation on the validation part. Ticks are folds, the dot is their mean, the bar one standard deviation to each side. ${choice?.reason}</p>${scrolling(
    'Candidates',
    html`<table>${head}<tbody>${rows}</tbody></table>`,
  )}${more}`
}

const isShare = (tried: RunSelection) =>
  tried.candidates.every(c => c.scores.every(s => s >= 0 && s <= 1)) && tried.metric !== 'logLoss'

/** Precision, recall and F1 class by class, beside those of the best member. */
export function classScores(shown: RunEvaluation, reference: RunEvaluation | undefined): Markup {
  const domain = stripDomain([...shown.classes, ...(reference?.classes ?? [])].map(c => c.f1))
  const rows = shown.classes.map((c, i) => {
    const f1 = reference?.classes[i]?.f1
    return html`<tr><th scope="row" class="name">${c.name}</th><td>${percent(c.precision)}</td><td>${percent(c.recall)}</td><td><b>${percent(c.f1)}</b></td><td>${strip(
      { domain, value: c.f1, reference: f1, strong: true },
    )}</td><td>${whole(c.support)}</td></tr>`
  })
  const compared = reference && html`<p class="eyebrow">Filled: ${shown.model}. Hollow: ${reference.model}.</p>`
  return html`<div>${scrolling(
    'Quality on each class',
    html`<table><thead><tr><th scope="col">Class</th><th scope="col">Precision %</th><th scope="col">Recall %</th><th scope="col">F1 %</th><th scope="col" class="axis"><span class="hidden">F1, drawn</span><span aria-hidden="true"><span>${percent(domain[0])}</span><span>${percent(domain[1])}</span></span></th><th scope="col">Support</th></tr></thead><tbody>${rows}</tbody></table>`,
  )}${compared}</div>`
}

/** What it takes to run this again, and to compare it with another run. */
export function reproducibility(record: RunRecord): Markup {
  const { recipe, machine, data, versions, started, finished } = record
  const seconds = finished === null ? null : (Date.parse(finished) - Date.parse(started)) / 1000
  const parts = `${whole(data.train)} for training, ${whole(data.validation)} for validation, ${whole(data.test)} for test`
  const entries: [string, Child][] = [
    ['Recipe', html`${recipe.name}${recipe.quick && ' (quick)'}, hash <code>${recipe.hash}</code>`],
    ['Seed', html`<code>${record.seed}</code>`],
    ['Data', `${data.name}: ${parts} (${data.unit}), ${data.classes.length} classes`],
    [
      'Versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ['Machine', `${machine.cpu}, ${machine.cores} cores, ${machine.threads} threads, ${machine.platform}`],
    [
      'Time',
      html`<time datetime="${started}">${instant(started)}</time>${seconds === null ? '' : `, ${duration(seconds)}`}`,
    ],
    [
      'Files',
      record.models
        .map(m => m.file)
        .filter(file => file !== null)
        .join(', ') || absent,
    ],
  ]
  return html`<dl>${entries.map(([title, value]) => html`<dt>${title}</dt><dd>${value}</dd>`)}</dl>`
}

/** "2025-06-03 09:12 UTC" */
export const instant = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
