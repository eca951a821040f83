import stringWidth from 'string-width'
import { clean, padEnd, padStart, shorten } from '../report/text.ts'

export interface Column {
  readonly title: string
  /** Numbers stand to the right; texts, which are cut where there is no room for them, to the left. */
  readonly align?: 'left' | 'right'
}

/** Rows of cells under their titles, at most `width` columns wide: the widest texts give way. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string {
  const cells = rows.map(row => row.map(clean))
  const widths = columns.map(({ title }, i) => Math.max(stringWidth(title), ...cells.map(row => stringWidth(row[i]!))))
  const texts = columns.flatMap(({ align = 'left' }, i) => (align === 'left' ? [i] : []))
  const excess = () => widths.reduce((sum, one) => sum + one + 2, -2) - width
  while (excess() > 0) {
    const widest = texts.reduce((a, b) => (widths[b]! > widths[a]! ? b : a), texts[0] ?? 0)
    if (widths[widest]! <= 8) break
    widths[widest]!--
  }
  const line = (row: readonly string[]) =>
    columns
      .map(({ align = 'left' }, i) =>
        align === 'left' ? padEnd(shorten(row[i]!, widths[i]!), widths[i]!) : padStart(row[i]!, widths[i]!),
      )
      .join('  ')
      .trimEnd()
  return [columns.map(({ title }) => title), ...cells].map(line).join('\n')
}

/** `name   value` lines, for facts that are not rows. */
export function facts(entries: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...entries.map(([name]) => stringWidth(name)))
  return entries.map(([name, value]) => `${padEnd(name, width)}  ${clean(value)}`).join('\n')
}
