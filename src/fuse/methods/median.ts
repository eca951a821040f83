import { combineMethod } from '../combine.ts'
import { normalizeRows, normalizeRowsOf, stack } from './rows.ts'
import { weightedSum, weightedSumOf } from './weighted-average.ts'

/** How much of the average is mixed in: decides between classes whose medians are equal, and where all medians are 0. */
const trace = 2 ** -20

/**
 * The median of the members' probabilities for each class (of an even number of members, the mean of the middle two),
 * scaled to sum to 1: a member far off does not move it. Equal medians are decided by the average.
 */
export const median = combineMethod({
  name: 'median',
  graph(op, members, weights) {
    // The larger half in descending order; its last, or last two, are the middle.
    const half = Math.floor(members.length / 2) + 1
    const even = members.length % 2 === 0
    const [larger] = op.many('TopK', 2, [stack(op, members), op.ints([half])], { axis: 1 })
    const middle = op.Slice([larger!, op.ints([half - (even ? 2 : 1)]), op.ints([half]), op.ints([1])])
    const medians = op.ReduceMean([middle, op.ints([1])], { keepdims: 0 })
    const average = op.Mul([weightedSum(op, members, weights), op.scalar(trace)])
    return normalizeRows(op, op.Add([medians, average]))
  },
  arrays(members, classes, weights) {
    const result = weightedSumOf(members, weights)
    const upper = Math.floor(members.length / 2)
    const lower = members.length % 2 === 0 ? upper - 1 : upper
    const values = new Float32Array(members.length)
    for (let i = 0; i < result.length; i++) {
      for (let m = 0; m < values.length; m++) values[m] = members[m]![i]!
      values.sort()
      const middle = lower === upper ? values[upper]! : Math.fround(values[lower]! + values[upper]!) / 2
      result[i] = middle + Math.fround(result[i]! * trace)
    }
    return normalizeRowsOf(result, classes)
  },
})
