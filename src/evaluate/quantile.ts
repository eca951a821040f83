/**
 * A quantile of ascending values, with linear interpolation between order statistics (type 7 of Hyndman and Fan 1996,
 * NumPy's default). NaN if there are none.
 * @param share from 0 to 1: 0.5 is the median.
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN
  const position = share * (sorted.length - 1)
  const below = Math.floor(position)
  const [low, high] = [sorted[below]!, sorted[Math.ceil(position)]!]
  return low + (high - low) * (position - below)
}
