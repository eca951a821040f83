/** Colours of series, defined for light and dark in the style sheet; after eight they come again with dashes. */
const colors = 8
const dashes = [null, '5 3', '2 2']

export interface SeriesStyle {
  readonly color: string
  readonly dash: string | null
}

export function seriesStyle(index: number): SeriesStyle {
  return { color: `var(--series-${index % colors})`, dash: dashes[Math.floor(index / colors) % dashes.length]! }
}
