/** A piece of HTML that is safe to place in a page. Made only by `html` and `trusted`. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }
}

export type Child = Markup | string | number | null | undefined | false | readonly Child[]

/** HTML with values put in: markup as it is, text and numbers escaped, lists joined, null and false left out. */
export function html(parts: TemplateStringsArray, ...values: readonly Child[]): Markup {
  return new Markup(parts.reduce((text, part, i) => text + toHtml(values[i - 1]) + part))
}

/** Text that is known to be HTML: a drawing, a style sheet. Never for what a record holds. */
export function trusted(text: string): Markup {
  return new Markup(text)
}

function toHtml(value: Child): string {
  if (value instanceof Markup) return value.text
  if (Array.isArray(value)) return value.map(toHtml).join('')
  if (value === null || value === undefined || value === false) return ''
  return escapeText(String(value))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as HTML shows it, in content and in quoted attributes. Control characters, which HTML forbids, are marked. */
function escapeText(text: string): string {
  return printable(text).replace(/[&<>"']/g, character => entities[character]!)
}

/** Text with the replacement character for control characters and lone surrogates. */
export function printable(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}|\p{Cs}/gu, '\ufffd')
}
