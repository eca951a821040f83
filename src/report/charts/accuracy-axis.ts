import type { PlotOptions } from './chart.ts'
import { logScale, logTicks } from './ticks.ts'

/**
 * An accuracy axis on which equal steps are equal factors of error, so that 99.0 % and 99.5 % are as far apart as 90 %
 * and 95 %. Channels give `accuracyHeight(accuracy)`.
 */
export function accuracyAxis(accuracies: readonly number[], label: string): NonNullable<PlotOptions['y']> {
  const errors = accuracies.map(errorOf)
  const low = Math.min(...errors) / 1.12
  const high = Math.min(1, Math.max(...errors) * 1.12)
  const scale = logScale(low, high, logTicks(low, high), error => `${Number((100 * (1 - error)).toFixed(3))} %`)
  return { ...scale, reverse: true, grid: true, label }
}

/** Where an accuracy is on the axis. */
export const accuracyHeight = (accuracy: number): number => Math.log10(errorOf(accuracy))

/** The share of wrong answers, kept above zero for the logarithm. */
const errorOf = (accuracy: number): number => Math.max(1 - accuracy, 1e-5)
