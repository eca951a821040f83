export { type Candidate, type Choice, type ChooseOptions, choose, compareTrials, type Trial } from './choose.ts'
export { restOf, stratifiedFolds } from './folds.ts'
