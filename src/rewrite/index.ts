export { rewrite } from './apply.ts'
export { type FixedPointOptions, fixedPoint, type Pass, pass, pipe, titleOf } from './pass.ts'
export type { Constant, Found, NodePattern, Pattern, Vocabulary } from './pattern.ts'
export { type Decline, type Replacement, type Rule, type RuleDefinition, rule, type Tools } from './rule.ts'
export { shareEqual } from './share-equal.ts'
export {
  type PassStatistics,
  type RuleStatistics,
  recorder,
  type Statistics,
  type Trace,
  type TraceEvent,
} from './trace.ts'
export { ruleKey } from './workshop.ts'
