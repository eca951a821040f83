import { strip, stripDomain } from '../charts/strip.ts'
import { percent, whole } from '../format.ts'
import { type Child, html, type Markup } from '../markup.ts'
import type { RunCandidate, RunRecord, RunSelection } from '../run-record.ts'
import { axisTitle, dataTable } from './data-table.ts'

/** Candidates drawn with their folds; and, folded away, in figures. */
const drawn = 12
const listed = 200

/** The combinations that were tried, best first, with their scores on the folds. */
export function selection(record: RunRecord): Markup | undefined {
  const tried = record.selection
  if (!tried || tried.candidates.length === 0) return undefined
  const chosen = isChosen(record)
  const ranked = rank(tried)
  const shown = ranked.filter((candidate, i) => i < drawn || chosen(candidate))
  const others = ranked.filter(candidate => !shown.includes(candidate))
  const format = scoreFormat(tried)
  const scoreColumn = {
    title: html`${tried.metric}${format === percent && ' %'}<br>mean ± std`,
    cell: ({ mean, std }: RunCandidate) => html`${format(mean)} <small>± ${format(std)}</small>`,
  }
  const domain = stripDomain(shown.flatMap(c => [...c.scores, c.mean - c.std, c.mean + c.std]))
  const stripColumn = {
    title: axisTitle('Scores on the folds', format(domain[0]), format(domain[1])),
    className: 'axis',
    cell: (candidate: RunCandidate): Child =>
      strip({
        domain,
        value: candidate.mean,
        spread: candidate.std,
        faint: candidate.scores,
        strong: chosen(candidate),
      }),
  }
  const common = {
    nameTitle: 'Candidate',
    name: (candidate: RunCandidate) => candidate.method,
    detail: (candidate: RunCandidate) => candidate.members.join(', '),
    chosen,
  }
  const count = `${whole(ranked.length)} ${ranked.length === 1 ? 'candidate' : 'candidates'}`
  return html`<p>${count} by stratified ${tried.folds}-fold cross-validation on the validation part. Ticks are folds, the dot is their mean, the bar one standard deviation to each side.</p>
${dataTable({ ...common, label: 'Candidates', columns: [stripColumn, scoreColumn], groups: [shown] })}
${others.length > 0 && more(others, { ...common, label: 'More candidates', columns: [scoreColumn] })}`
}

function more(others: readonly RunCandidate[], table: Omit<Parameters<typeof dataTable<RunCandidate>>[0], 'groups'>) {
  const rest = others.length - listed
  return html`<details><summary>${whole(others.length)} more</summary>${dataTable({ ...table, groups: [others.slice(0, listed)] })}${
    rest > 0 && html`<p>${whole(rest)} more are in run.json.</p>`
  }</details>`
}

function rank({ candidates, direction }: RunSelection): RunCandidate[] {
  const sign = direction === 'maximize' ? -1 : 1
  return [...candidates].sort((a, b) => sign * (a.mean - b.mean))
}

/** Whether a candidate is the one that was chosen: the same method on the same members. */
function isChosen({ choice }: RunRecord): (candidate: RunCandidate) => boolean {
  if (!choice) return () => false
  const key = (method: string, members: readonly string[]) => JSON.stringify([method, [...members].sort()])
  const chosen = key(choice.method, choice.members)
  return candidate => key(candidate.method, candidate.members) === chosen
}

/** Shares, such as accuracies, in percent; other scores, such as losses, as they are. */
function scoreFormat({ candidates, direction }: RunSelection): (score: number) => string {
  const shares = direction === 'maximize' && candidates.every(c => c.scores.every(score => score >= 0 && score <= 1))
  return shares ? percent : score => score.toFixed(4)
}
