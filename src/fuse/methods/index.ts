import type { CombineMethod } from '../combine.ts'
import { average } from './average.ts'
import { geometricMean } from './geometric-mean.ts'
import { majorityVote } from './majority-vote.ts'
import { maximum } from './maximum.ts'
import { median } from './median.ts'
import { rankAverage } from './rank-average.ts'
import { weightedAverage } from './weighted-average.ts'

export { average, geometricMean, majorityVote, maximum, median, rankAverage, weightedAverage }

/** Every combine method. A new one is a file beside this one, and its name here; its tests follow from that. */
export const methods = [
  average,
  weightedAverage,
  majorityVote,
  median,
  maximum,
  geometricMean,
  rankAverage,
] as const satisfies readonly CombineMethod[]

export type MethodName = (typeof methods)[number]['name']
