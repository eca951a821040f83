import { combineMethod } from '../combine.ts'
import { classesOf, stack } from './rows.ts'
import { weightedSum, weightedSumOf } from './weighted-average.ts'

/** The average's part, in ranks: less than the half rank by which two classes differ at least. */
const averagePart = 0.25

/**
 * Each member ranks the classes of a row, from 0 for the least probable to C - 1 (equals share the mean of their ranks),
 * and ranks are added up: the Borda count. Equal sums are decided by the average. Only the order of a member's
 * probabilities matters, so members that are over- or underconfident count alike; in return the result, ranks scaled to
 * sum to 1, is flat: good for choosing, not as a probability. Compares every two classes: C x C numbers a row and member.
 */
export const rankAverage = combineMethod({
  name: 'rank-average',
  graph(op, members, weights) {
    const classes = classesOf(op, members[0]!)
    const all = stack(op, members)
    const against = op.Sub([op.Unsqueeze([all, op.ints([3])]), op.Unsqueeze([all, op.ints([2])])])
    // Classes below minus classes above, over all members: twice the rank, less C - 1 for each member.
    const balance = op.ReduceSum([op.Sign([against]), op.ints([1, 3])], { keepdims: 0 })
    const ranks = op.Mul([op.Add([balance, op.scalar(members.length * (classes - 1))]), op.scalar(0.5)])
    const average = op.Mul([weightedSum(op, members, weights), op.scalar(averagePart)])
    return op.Mul([op.Add([ranks, average]), op.scalar(scaleFor(members.length, classes))])
  },
  arrays(members, classes, weights) {
    const result = weightedSumOf(members, weights)
    const scale = Math.fround(scaleFor(members.length, classes))
    for (let row = 0; row < result.length; row += classes) {
      for (let c = row; c < row + classes; c++) {
        let balance = 0
        for (const member of members) {
          for (let other = row; other < row + classes; other++) balance += Math.sign(member[c]! - member[other]!)
        }
        const ranks = (balance + members.length * (classes - 1)) / 2
        result[c] = Math.fround(ranks + Math.fround(averagePart * result[c]!)) * scale
      }
    }
    return result
  },
})

function scaleFor(members: number, classes: number): number {
  return 1 / ((members * classes * (classes - 1)) / 2 + averagePart)
}
