import type { Ops, Ref } from '../../ops/build.ts'
import { combineMethod } from '../combine.ts'
import { accuracyWeights } from '../weights.ts'

/** The mean of the members' probabilities, each counting by its weight: soft voting. */
export const weightedAverage = combineMethod({
  name: 'weighted-average',
  weigh: accuracyWeights,
  graph: weightedSum,
  arrays: (members, _, weights) => weightedSumOf(members, weights),
})

/** The sum of values, each times its weight. */
export function weightedSum(op: Ops, members: readonly Ref[], weights: readonly number[]): Ref {
  return members.map((member, i) => op.Mul([member, op.scalar(weights[i]!)])).reduce((sum, term) => op.Add([sum, term]))
}

/** `weightedSum` on arrays: each product and each sum rounded to float32, in the same order. */
export function weightedSumOf(members: readonly Float32Array[], weights: readonly number[]): Float32Array {
  const sum = new Float32Array(members[0]!.length)
  members.forEach((member, m) => {
    const weight = Math.fround(weights[m]!)
    for (let i = 0; i < sum.length; i++) {
      const term = Math.fround(weight * member[i]!)
      sum[i] = m === 0 ? term : sum[i]! + term
    }
  })
  return sum
}
