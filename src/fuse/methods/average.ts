import { combineMethod } from '../combine.ts'
import { weightedSum, weightedSumOf } from './weighted-average.ts'

/** The mean of the members' probabilities. */
export const average = combineMethod({
  name: 'average',
  graph: weightedSum,
  arrays: (members, _, weights) => weightedSumOf(members, weights),
})
