import type { Ops, Ref } from '../../ops/build.ts'
import { combineMethod } from '../combine.ts'
import { accuracyWeights } from '../weights.ts'
import { classesOf, indexOfMax, oneHot } from './rows.ts'
import { weightedSum, weightedSumOf } from './weighted-average.ts'

/** Parts of the result, in votes. What the average can spread is less than the winner's lead, and both less than a vote. */
const averagePart = 0.25
const winnerPart = 0.5

/**
 * One vote a member, for its most probable class (the first of equals). Of the classes with most votes the one with the
 * largest weighted average wins (again the first of equals).
 *
 * The result is a distribution: (votes + a/4 + w/2) / (K + 3/4) for K members, where a is the weighted average and w is
 * 1 for the winner, else 0. It sums to 1 if each member's probabilities do. The winner leads by a quarter of a vote or
 * more, which no rounding takes away: argmax is always right. The other classes stand in order of their votes, then of
 * their averages, and none gets 0 that a member gives a chance.
 */
export const majorityVote = combineMethod({
  name: 'majority-vote',
  weigh: accuracyWeights,
  graph(op, members, weights) {
    const votes = countVotes(op, members)
    const average = weightedSum(op, members, weights)
    const most = op.ReduceMax([votes, op.ints([1])])
    const contenders = op.Where([op.Equal([votes, most]), average, op.scalar(-1)])
    const winner = oneHot(op, op.ArgMax([contenders], { axis: 1, keepdims: 0 }), classesOf(op, average), winnerPart)
    const sum = op.Add([op.Add([votes, op.Mul([average, op.scalar(averagePart)])]), winner])
    return op.Mul([sum, op.scalar(1 / (members.length + averagePart + winnerPart))])
  },
  arrays(members, classes, weights) {
    const result = weightedSumOf(members, weights)
    const scale = Math.fround(1 / (members.length + averagePart + winnerPart))
    const votes = new Uint32Array(classes)
    for (let row = 0; row < result.length; row += classes) {
      votes.fill(0)
      for (const member of members) votes[indexOfMax(member, row, classes) - row]!++
      const winner = winnerOf(votes, result, row)
      for (let c = 0; c < classes; c++) {
        const sum = Math.fround(votes[c]! + Math.fround(averagePart * result[row + c]!))
        result[row + c] = Math.fround(sum + (c === winner ? winnerPart : 0)) * scale
      }
    }
    return result
  },
})

/** How many members hold each class to be the most probable: float32 [N, C]. */
function countVotes(op: Ops, members: readonly Ref[]): Ref {
  const choices = op.Concat(
    members.map(member => op.ArgMax([member], { axis: 1 })),
    { axis: 1 },
  )
  return op.ReduceSum([oneHot(op, choices, classesOf(op, members[0]!), 1), op.ints([1])], { keepdims: 0 })
}

/** The class with the most votes, and of those with as many the one with the largest average (in the array from `row`). */
function winnerOf(votes: Uint32Array, averages: Float32Array, row: number): number {
  let winner = 0
  for (let c = 1; c < votes.length; c++) {
    const lead = votes[c]! - votes[winner]! || averages[row + c]! - averages[row + winner]!
    if (lead > 0) winner = c
  }
  return winner
}
