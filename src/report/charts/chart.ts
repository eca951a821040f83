import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { type Child, html, type Markup, printable, trusted } from '../markup.ts'

/** What a reader who does not see a drawing is told. */
export interface ChartText {
  /** Unique in the page. */
  readonly id: string
  readonly title: string
  readonly description: string
}

export type PlotOptions = Plot.PlotOptions

/** A drawing in two widths, in pixels: for a screen, and for a phone. CSS shows the one that fits its container. */
export interface ChartWidths {
  readonly wide: number
  readonly narrow: number
}

export const fontSize = 12

/**
 * A chart drawn by Plot as inline SVG, once for wide and once for narrow containers, so that its text keeps its size.
 * What a version needs to say besides goes below it.
 */
export function chart(
  text: ChartText,
  widths: ChartWidths,
  plan: (width: number) => PlotOptions,
  below: (width: number) => Child = () => null,
): Markup {
  const version = (className: keyof ChartWidths) => {
    const width = widths[className]
    const drawing = draw({ ...text, id: `${text.id}-${className}` }, plan(width))
    return html`<div class="${className}">${drawing}${below(width)}</div>`
  }
  return html`<div class="chart">${version('wide')}${version('narrow')}</div>`
}

interface SvgElement {
  readonly tagName: string
  readonly outerHTML: string
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>
  textContent: string
  setAttribute(name: string, value: string): void
  removeAttribute(name: string): void
  prepend(...children: SvgElement[]): void
  remove(): void
  querySelectorAll(selector: string): Iterable<SvgElement>
}

/** One drawing, with its title and description, as `<svg>`. */
function draw({ id, title, description }: ChartText, options: PlotOptions): Markup {
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const svg = Plot.plot({ className: 'plot', ...options, document }) as unknown as SvgElement
  for (const style of svg.querySelectorAll('style')) style.remove()
  for (const element of svg.querySelectorAll('*')) tidy(element)

  const node = (name: string, text: string) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name) as unknown as SvgElement
    element.setAttribute('id', `${id}-${name}`)
    element.textContent = printable(text)
    return element
  }
  svg.prepend(node('title', title), node('desc', description))
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-labelledby', `${id}-title ${id}-desc`)
  for (const attribute of ['font-family', 'font-size', 'fill']) svg.removeAttribute(attribute)
  return trusted(svg.outerHTML)
}

const coordinates = new Set('d transform x y x1 x2 y1 y2 cx cy r width height dx'.split(' '))

/** Rounds coordinates to a tenth of a pixel, and drops the labels of Plot's groups: an image is described as a whole. */
function tidy(element: SvgElement): void {
  const round = (text: string) => text.replace(/-?\d+\.\d{2,}(?!\d|em)/g, n => `${+Number(n).toFixed(1)}`)
  for (const { name, value } of [...element.attributes]) {
    if (name.startsWith('aria-')) element.removeAttribute(name)
    else if (coordinates.has(name)) element.setAttribute(name, round(value))
  }
}
