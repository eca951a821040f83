import { absent, duration, whole } from '../format.ts'
import { type Child, html, type Markup } from '../markup.ts'
import type { RunRecord } from '../run-record.ts'

/** What it takes to run this again, and to compare it with another run. */
export function reproduction(record: RunRecord): Markup {
  const { recipe, machine, data, versions, models } = record
  const sizes = `${whole(data.train)} for training, ${whole(data.validation)} for validation, ${whole(data.test)} for test`
  const files = models.map(model => model.file).filter(file => file !== null)
  const entries: readonly (readonly [string, Child])[] = [
    ['Recipe', html`${recipe.name}${recipe.quick && ' (quick)'}, hash <code>${recipe.hash}</code>`],
    ['Seed', html`<code>${record.seed}</code>`],
    ['Data', `${data.name}: ${data.unit}, ${sizes}; ${data.classes.length} classes`],
    ['Versions', versionList(versions)],
    ['Machine', `${machine.cpu}; ${machine.cores} cores, ${machine.threads} threads; ${machine.platform}`],
    ['Time', time(record)],
    ['Files', files.join(', ') || absent],
  ]
  return html`<dl class="notes">${entries.map(([title, value]) => html`<dt>${title}</dt><dd>${value}</dd>`)}</dl>`
}

const versionList = (versions: Readonly<Record<string, string>>) =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')

function time({ started, finished }: RunRecord): Markup {
  const took = finished === null ? null : (Date.parse(finished) - Date.parse(started)) / 1000
  return html`<time datetime="${started}">${instant(started)}</time>${took !== null && `, ${duration(took)}`}`
}

/** "2025-06-03 09:12 UTC" */
export const instant = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
