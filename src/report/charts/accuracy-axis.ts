import type { PlotOptions } from './chart.ts'
import { logTicks } from './ticks.ts'

/**
 * An accuracy axis on which equal steps are equal factors of error, so that 99.0 % and 99.5 % are as far apart as 90 %
 * and 95 %. Plot `errorOf(accuracy)` on it.
 */
export function accuracyAxis(accuracies: readonly number[], label: string): NonNullable<PlotOptions['y']> {
  const errors = accuracies.map(errorOf)
  const low = Math.min(...errors) / 1.12
  const high = Math.min(1, Math.max(...errors) * 1.12)
  return {
    type: 'log',
    domain: [high, low],
    ticks: logTicks(low, high),
    tickFormat: (error: number) => accuracyText(error),
    grid: true,
    label,
  }
}

/** The share of wrong answers, kept above zero for the logarithm. */
export const errorOf = (accuracy: number): number => Math.max(1 - accuracy, 1e-5)

/** The accuracy of an error, in percent, with as many decimals as it takes. */
function accuracyText(error: number): string {
  return `${Number((100 * (1 - error)).toFixed(3))} %`
}
