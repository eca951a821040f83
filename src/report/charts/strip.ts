import { html, type Markup } from '../markup.ts'

export interface StripOptions {
  /** The values at the two ends. */
  readonly domain: readonly [low: number, high: number]
  readonly value: number
  /** Half-length of the whisker around the value. */
  readonly spread?: number
  /** Single observations, drawn faintly. */
  readonly faint?: readonly number[]
  /** A value to compare with, drawn hollow. */
  readonly reference?: number | undefined
  readonly strong?: boolean
}

/** A one-line dot plot, as wide as its table cell. The number stands beside it, so screen readers are not told twice. */
export function strip({ domain: [low, high], value, spread, faint = [], reference, strong }: StripOptions): Markup {
  const at = (v: number) => {
    const share = high > low ? (v - low) / (high - low) : 0.5
    return `${(3 + 94 * Math.min(Math.max(share, 0), 1)).toFixed(1)}%`
  }
  const whisker =
    spread !== undefined &&
    html`<line class="whisker" x1="${at(value - spread)}" x2="${at(value + spread)}" y1="10" y2="10"/>`
  const ticks = faint.map(v => html`<line class="faint" x1="${at(v)}" x2="${at(v)}" y1="6" y2="14"/>`)
  const other = reference !== undefined && html`<circle class="reference" cx="${at(reference)}" cy="10" r="4"/>`
  const dot = html`<circle class="value" cx="${at(value)}" cy="10" r="4"/>`
  const rail = html`<line class="rail" x1="0" x2="100%" y1="10" y2="10"/>`
  return html`<svg class="strip${strong && ' strong'}" aria-hidden="true">${rail}${whisker}${ticks}${other}${dot}</svg>`
}

/** Ends for a group of strips: the range of their values, a little widened, but not beyond 1 for shares. */
export function stripDomain(values: readonly number[]): [low: number, high: number] {
  const low = Math.min(...values)
  const high = Math.max(...values)
  const room = Math.max((high - low) * 0.04, Math.abs(high) * 0.0005) || 0.01
  return [low - room, high <= 1 ? Math.min(high + room, 1) : high + room]
}
