import { type Pass, titleOf } from '../rewrite/pass.ts'
import type { Rule } from '../rewrite/rule.ts'

/** One step of simplifying. Rules that stand side by side share one walk over the graph. */
export type Step = Pass | Rule

export function nameOf(step: Step): string {
  return typeof step === 'function' ? titleOf(step) : step.name
}
