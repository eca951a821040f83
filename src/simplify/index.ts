import { SinterError } from '../base/errors.ts'
import { rewrite } from '../rewrite/apply.ts'
import { fixedPoint, type Pass, pass } from '../rewrite/pass.ts'
import type { Rule } from '../rewrite/rule.ts'
import type { TraceEvent } from '../rewrite/trace.ts'
import { chains } from './chains/index.ts'
import { constantBytes } from './constants/constant-bytes.ts'
import { dropUnused } from './constants/drop-unused.ts'
import { constants } from './constants/index.ts'
import { tieConstants } from './constants/tie-constants.ts'
import { controlFlow } from './control-flow/index.ts'
import { linear } from './linear/index.ts'
import { noOps } from './no-ops/index.ts'
import { recognize } from './recognize/index.ts'
import { defaultSettings, type Settings } from './settings.ts'
import { shapes } from './shapes/index.ts'
import { withStatedOpset } from './stated-opset.ts'
import { nameOf, type Step } from './step.ts'

/**
 * What `simplify` does, in order. Each step keeps what the graph computes, up to rounding, and makes it smaller or faster;
 * no step undoes another's work.
 */
export function steps(settings: Partial<Settings> = {}): readonly Step[] {
  const all: Settings = { ...defaultSettings, ...settings }
  return [
    // First, so that all others find constants where they look for them: among the initializers.
    ...constants(all),
    // Before the rules, which then see what comes out of bodies beside what is around it.
    ...controlFlow(all),
    // What does nothing stands in the way of every pattern.
    ...noOps(),
    // Constant targets of Reshape and Expand are what chains compose.
    ...shapes(all),
    // Patterns of arithmetic are found where no Transpose or Reshape is in between.
    ...chains(),
    // Before scales and shifts are folded, which would take what is written out apart.
    ...recognize(all),
    ...linear(all),
    // Weights into which something still folds must not be shared with others.
    tieConstants,
    // Last: what the others leave unread.
    dropUnused,
  ]
}

export interface SimplifyOptions extends Partial<Settings> {
  /** Leave out these steps. */
  readonly skip?: readonly string[]
  /** Take these steps and no others. */
  readonly only?: readonly string[]
  /** Bound on the rounds through all steps; 10 unless told. */
  readonly rounds?: number
}

/**
 * A pass that takes every step again and again until none changes the graph any more. Where the constants that this folds
 * come to more bytes in sum than `maxGrowth` allows, it begins anew and lets each grow less.
 * @throws SinterError `invalid-argument` for a step that does not exist.
 */
export function simplify(options: SimplifyOptions = {}): Pass {
  const { skip = [], only, rounds, ...settings } = options
  const known = steps().map(nameOf)
  const unknown = [...skip, ...(only ?? [])].find(name => !known.includes(name))
  if (unknown !== undefined) {
    const message = `There is no step '${unknown}' in simplify; its steps are ${known.join(', ')}.`
    throw new SinterError('invalid-argument', message, { unknown, steps: known })
  }
  const isTaken = (step: Step) => !skip.includes(nameOf(step)) && (only?.includes(nameOf(step)) ?? true)
  const within = (maxGrowth: number) =>
    fixedPoint(joinRules(steps({ ...settings, maxGrowth }).filter(isTaken)), {
      title: 'simplify',
      ...(rounds === undefined ? {} : { rounds }),
    })
  const allowed = settings.maxGrowth ?? defaultSettings.maxGrowth
  const run = pass('simplify', (graph, trace) => {
    const limit = constantBytes(graph) + allowed
    for (let each = allowed; ; each = each < leastGrowth ? 0 : each / growthStep) {
      const told: TraceEvent[] = []
      const after = within(each)(graph, event => void told.push(event))
      if (each > 0 && constantBytes(after) > limit) continue
      for (const event of told) trace?.(event)
      return after
    }
  })
  return withStatedOpset(run)
}

/** By how much less a constant may grow each time that all of them have grown too much, and when that is nothing. */
const growthStep = 16
const leastGrowth = 256

/** Neighbouring rules become one pass: they share one walk, and one makes room for another without a further round. */
function joinRules(list: readonly Step[]): readonly Pass[] {
  const passes: Pass[] = []
  let rules: Rule[] = []
  const close = () => {
    if (rules.length > 0) passes.push(rewrite(rules.map(nameOf).join('+'), rules, { remember: true }))
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
