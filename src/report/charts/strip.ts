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

const width = 200
const height = 20
const middle = height / 2
const margin = 6

/** A one-line dot plot for a table cell, whose number stands beside it: so it is hidden from screen readers. */
export function strip({ domain: [low, high], value, spread, faint = [], reference, strong }: StripOptions): Markup {
  const at = (v: number) => {
    const share = high > low ? (v - low) / (high - low) : 0.5
    return (margin + Math.min(Math.max(share, 0), 1) * (width - 2 * margin)).toFixed(1)
  }
  return html`<svg class="strip${strong && ' strong'}" viewBox="0 0 ${width} ${height}" aria-hidden="true"><path class="rail" d="M0 ${middle}H${width}"/>${
    spread !== undefined && html`<path class="whisker" d="M${at(value - spread)} ${middle}H${at(value + spread)}"/>`
  }${faint.map(v => html`<path class="faint" d="M${at(v)} ${middle - 4}v8"/>`)}${
    reference !== undefined && html`<circle class="reference" cx="${at(reference)}" cy="${middle}" r="4"/>`
  }<circle class="value" cx="${at(value)}" cy="${middle}" r="4"/></svg>`
}

/** Ends for a group of strips: the range of their values, a little widened. */
export function stripDomain(values: readonly number[]): [low: number, high: number] {
  const low = Math.min(...values)
  const high = Math.max(...values)
  const room = (high - low) * 0.04 || Math.abs(high) * 0.01 || 0.01
  return [low - room, high + room]
}
