export { stepNames } from './apply-steps.ts'
export { checkStacked } from './check-stacked.ts'
export { type Build, type Checked, type CheckedOptions, checked, type SkippedStep } from './checked.ts'
export {
  type Equivalence,
  type EquivalenceOptions,
  type OutputDifference,
  outputDifferences,
  type Reference,
  referenceOf,
} from './equivalence.ts'
export { describeFeeds, type FindFeedsOptions, findFeeds, type Trial } from './find-feeds.ts'
export { type RandomFeedsOptions, type Ranges, randomFeeds } from './random-feeds.ts'
export { sideBySide } from './side-by-side.ts'
export { type SimplifyModelOptions, type SimplifyReport, simplifyModel } from './simplify-model.ts'
export { toleranceOf } from './tolerance.ts'
