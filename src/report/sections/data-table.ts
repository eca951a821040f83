import { textWidth } from '../charts/text.ts'
import { type Child, html, type Markup } from '../markup.ts'

export interface TableColumn<R> {
  readonly title: Child
  readonly cell: (row: R) => Child
  readonly className?: string
}

export interface DataTable<R> {
  /** What the table holds, for screen readers. */
  readonly label: string
  /** The heading of the first column, which holds the names of the rows. */
  readonly nameTitle: string
  readonly name: (row: R) => string
  /** What goes before the name. */
  readonly mark?: (row: R) => Child
  /** What goes below the name, in small. */
  readonly detail?: (row: R) => Child
  readonly chosen?: (row: R) => boolean
  readonly columns: readonly TableColumn<R>[]
  /** The rows; each group has a rule above it. */
  readonly groups: readonly (readonly R[])[]
  readonly className?: string
}

/** Beyond this width, in pixels, names break. */
const widestName = 220

/** A table of one row per thing, with headings for rows and columns. It scrolls where it does not fit. */
export function dataTable<R>(table: DataTable<R>): Markup {
  const { label, nameTitle, name, columns, groups, className } = table
  const chosen = table.chosen ?? (() => false)
  const shownName = (row: R) => name(row) + (chosen(row) ? ' (chosen)' : '')
  const room = Math.max(...groups.flat().map(row => textWidth(shownName(row), 13.5))) + 28
  const header = html`<tr><th scope="col" class="room" style="--room:${Math.ceil(Math.min(room, widestName))}px">${nameTitle}</th>${columns.map(
    column => html`<th scope="col"${classOf(column.className)}>${column.title}</th>`,
  )}</tr>`
  const body = groups.map(
    rows => rows.length > 0 && html`<tbody>${rows.map(row => rowOf(table, row, chosen(row)))}</tbody>`,
  )
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table${classOf(className)}><thead>${header}</thead>${body}</table></div>`
}

function rowOf<R>({ name, mark, detail, columns }: DataTable<R>, row: R, chosen: boolean): Markup {
  const badge = chosen && html`<span class="badge">chosen</span>`
  const below = detail && html`<small class="detail">${detail(row)}</small>`
  const cells = columns.map(column => html`<td${classOf(column.className)}>${column.cell(row)}</td>`)
  return html`<tr${chosen && classOf('chosen')}><th scope="row">${mark?.(row)}${name(row)}${badge}${below}</th>${cells}</tr>`
}

const classOf = (name: string | undefined) => name && html` class="${name}"`

/** The heading of a column of strips: what they show, for screen readers, and the values at their ends. */
export function axisTitle(what: string, low: string, high: string): Markup {
  return html`<span class="hidden">${what}</span><span class="ends" aria-hidden="true"><span>${low}</span><span>${high}</span></span>`
}
