import type { Ops, Ref } from '../../ops/build.ts'
import { combineMethod } from '../combine.ts'
import { cast } from './rows.ts'

/** Probabilities below this count as this: otherwise one member could rule a class out for all. */
const least = 1e-7

/**
 * The geometric mean of the members' probabilities, scaled to sum to 1: what a product of experts says, tempered by
 * their number (the logarithmic opinion pool). A class must be plausible to every member. Taken in float64, as a softmax
 * of mean logarithms, and rounded at the end: products that are equal come out equal.
 */
export const geometricMean = combineMethod({
  name: 'geometric-mean',
  graph(op, members, weights) {
    const terms = members.map((member, i) => weighed(op, member, weights[i]!))
    const mean = terms.reduce((sum, term) => op.Add([sum, term]))
    return cast(op, op.Softmax([mean], { axis: 1 }), 'float32')
  },
  arrays(members, classes, weights) {
    const result = new Float32Array(members[0]!.length)
    const means = new Float64Array(classes)
    for (let row = 0; row < result.length; row += classes) {
      for (let c = 0; c < classes; c++) {
        means[c] = 0
        members.forEach((member, m) => {
          means[c]! += weights[m]! * Math.log(Math.max(member[row + c]!, least))
        })
      }
      const most = Math.max(...means)
      let sum = 0
      for (let c = 0; c < classes; c++) sum += means[c] = Math.exp(means[c]! - most)
      for (let c = 0; c < classes; c++) result[row + c] = means[c]! / sum
    }
    return result
  },
})

function weighed(op: Ops, member: Ref, weight: number): Ref {
  const logarithm = op.Log([op.Max([cast(op, member, 'float64'), op.scalar(least, 'float64')])])
  return op.Mul([logarithm, op.scalar(weight, 'float64')])
}
