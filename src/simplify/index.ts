import { SinterError } from '../base/errors.ts'
import { rewrite } from '../rewrite/apply.ts'
import { fixedPoint, type Pass, titleOf } from '../rewrite/pass.ts'
import type { Rule } from '../rewrite/rule.ts'
import { dropIdentity } from './drop-identity.ts'
import { dropOverridable } from './drop-overridable.ts'
import { dropUnused } from './drop-unused.ts'
import { foldBatchNorm } from './fold-batch-norm.ts'
import { liftConstants } from './lift-constants.ts'

/** What `simplify` does, in order. Each step keeps what the graph computes, up to rounding. */
export const steps: readonly (Pass | Rule)[] = [dropOverridable, liftConstants, dropIdentity, foldBatchNorm, dropUnused]

export interface SimplifyOptions {
  /** Keep initializers among the graph's inputs, so that callers can override them; nothing is folded into those. */
  readonly keepOverridable?: boolean
  /** Leave out these steps. */
  readonly skip?: readonly string[]
  /** Take these steps and no others. */
  readonly only?: readonly string[]
  /** Bound on the rounds through all steps; 10 unless told. */
  readonly rounds?: number
}

/**
 * A pass that takes every step again and again until none changes the graph any more.
 * @throws SinterError `invalid-argument` for a step that does not exist.
 */
export function simplify(options: SimplifyOptions = {}): Pass {
  const { keepOverridable = false, skip = [], only, rounds } = options
  const names = steps.map(nameOf)
  const unknown = [...skip, ...(only ?? [])].find(name => !names.includes(name))
  if (unknown !== undefined) {
    const message = `There is no step '${unknown}' in simplify; its steps are ${names.join(', ')}.`
    throw new SinterError('invalid-argument', message, { unknown, steps: names })
  }
  const taken = steps.filter(step => {
    if (step === dropOverridable && keepOverridable) return false
    return !skip.includes(nameOf(step)) && (only?.includes(nameOf(step)) ?? true)
  })
  return fixedPoint(joinRules(taken), { title: 'simplify', ...(rounds === undefined ? {} : { rounds }) })
}

function nameOf(step: Pass | Rule): string {
  return typeof step === 'function' ? titleOf(step) : step.name
}

/** Neighbouring rules become one pass: they share one walk, and one makes room for another without a further round. */
function joinRules(list: readonly (Pass | Rule)[]): readonly Pass[] {
  const passes: Pass[] = []
  let rules: Rule[] = []
  const close = () => {
    if (rules.length > 0) passes.push(rewrite(rules.map(nameOf).join('+'), rules))
    rules = []
  }
  for (const step of list) {
    if (typeof step !== 'function') {
      rules.push(step)
      continue
    }
    close()
    passes.push(step)
  }
  close()
  return passes
}
