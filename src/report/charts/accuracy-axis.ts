import type { PlotOptions } from './chart.ts'
import { logRange, logScale, logTicks } from './ticks.ts'

/** Smaller errors are drawn here: a logarithmic axis has no zero. */
const smallestError = 1e-5

/**
 * An accuracy axis on which equal steps are equal factors of error, so that 99.0 % and 99.5 % are as far apart as 90 %
 * and 95 %. Channels give `accuracyHeight(accuracy)`.
 */
export function accuracyAxis(accuracies: readonly number[], label: string): NonNullable<PlotOptions['y']> {
  const [low, widest] = logRange(accuracies.map(errorOf))
  const high = Math.min(1, widest)
  const ticks = logTicks(low, high).filter(error => error >= smallestError)
  return { ...logScale(low, high, ticks, accuracyText), reverse: true, grid: true, label }
}

/** Where an accuracy is on the axis. */
export const accuracyHeight = (accuracy: number): number => Math.log10(errorOf(accuracy))

const errorOf = (accuracy: number) => Math.max(1 - accuracy, smallestError)

const accuracyText = (error: number) =>
  `${error > smallestError ? '' : '≥ '}${Number((100 * (1 - error)).toFixed(4))} %`
