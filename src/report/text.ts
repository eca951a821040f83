import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'

/** Widths are those of a terminal's columns. */
export const padStart = (text: string, width: number) => ' '.repeat(Math.max(0, width - stringWidth(text))) + text
export const padEnd = (text: string, width: number) => text + ' '.repeat(Math.max(0, width - stringWidth(text)))

/** Text from a file, without anything that a terminal would obey. */
export function clean(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}+/gu, ' ')
}

/** Text of at most `width` columns, its end cut where it is longer. */
export function shorten(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  let kept = ''
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(kept + segment) > width - 1) break
    kept += segment
  }
  return `${kept}…`
}

/** Lines of at most `width` columns, broken between words. */
export function wrap(text: string, width: number): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word
    if (lines.length > 0 && stringWidth(longer) <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines.join('\n')
}
