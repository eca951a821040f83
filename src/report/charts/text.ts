/** Advance widths of a common sans-serif font, in ems, by rough class: enough to lay out labels without a browser. */
function characterWidth(character: string): number {
  if (/[\u0300-\u036f\u200b-\u200f]/.test(character)) return 0
  if (/[ijl.,:;'|!I]/.test(character)) return 0.32
  if (/[frt()[\]/\- ]/.test(character)) return 0.41
  if (/[mwMW@%]/.test(character)) return 0.95
  if (/[A-Z]/.test(character)) return 0.72
  return character.codePointAt(0)! >= 0x2e80 ? 1.03 : 0.62
}

/** An estimate of the width of a text, in pixels, a little on the wide side. */
export function textWidth(text: string, fontSize: number): number {
  let ems = 0
  for (const character of text) ems += characterWidth(character)
  return ems * fontSize
}

/** The text, or as much of its beginning and end as fits, with an ellipsis between. */
export function fitText(text: string, width: number, fontSize: number): string {
  if (textWidth(text, fontSize) <= width) return text
  const characters = [...text]
  for (let kept = characters.length - 1; kept > 1; kept--) {
    const head = Math.ceil(kept * 0.6)
    const short = `${characters.slice(0, head).join('')}…${characters.slice(characters.length - (kept - head)).join('')}`
    if (textWidth(short, fontSize) <= width) return short
  }
  return `${characters[0] ?? ''}…`
}
