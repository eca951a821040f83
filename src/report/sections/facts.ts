import {
  accuracyGain,
  bestMember,
  chosenModel,
  costRatio,
  isSignificant,
  modelNamed,
  shownMetrics,
  shownPart,
} from '../findings.ts'
import { percent, points, pValue, shareOf, times } from '../format.ts'
import { type Child, html, type Markup } from '../markup.ts'
import type { RunModel, RunRecord } from '../run-record.ts'

/** What matters about the choice and the compact model, in large figures. */
export function facts(record: RunRecord): Markup | undefined {
  const chosen = chosenModel(record)
  if (!chosen) return undefined
  const best = bestMember(record)
  const compared = best !== chosen ? best : undefined
  const entries = [
    accuracyFact(record, chosen, compared),
    compared && costFact(chosen, compared),
    significanceFact(record),
    compactionFact(record),
  ]
  return html`<dl class="facts">${entries}</dl>`
}

const fact = (title: string, figure: Child, detail: Child): Markup =>
  html`<div><dt>${title}</dt><dd class="figure">${figure}</dd><dd class="detail">${detail}</dd></div>`

function accuracyFact(record: RunRecord, chosen: RunModel, compared: RunModel | undefined): Markup {
  const accuracy = shownMetrics(record, chosen)?.accuracy
  return fact(
    `Accuracy of the choice, ${shownPart(record)}`,
    html`${percent(accuracy)} <small>%</small>`,
    compared
      ? `${points(accuracyGain(record, chosen, compared))} points against ${compared.name}`
      : 'the best single member',
  )
}

function costFact(chosen: RunModel, compared: RunModel): Markup {
  const latency = costRatio(chosen.latency?.p50, compared.latency?.p50)
  const size = costRatio(chosen.bytes, compared.bytes)
  const details = [
    latency === undefined ? [] : `${times(latency)} the latency`,
    size === undefined ? [] : `${times(size)} the bytes`,
  ]
  return fact(
    `Its cost against ${compared.name}`,
    html`${times(costRatio(chosen.macs, compared.macs))} <small>the MACs</small>`,
    details.flat().join(', '),
  )
}

function significanceFact(record: RunRecord): Markup | undefined {
  const mcnemar = record.choice?.mcnemar
  if (!mcnemar) return undefined
  const { p, onlyChoice, onlyAgainst } = mcnemar
  const verdict = isSignificant(p) ? 'significant' : 'can be chance'
  return fact(
    'Exact McNemar test of the difference',
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
    gain !== undefined && `${points(gain)} points of accuracy`,
  )
}
