/** The softmax of each row of [rows, classes], in place. Its largest value is subtracted first, so that nothing overflows. */
export function softmaxRows(values: Float64Array, classes: number): Float64Array {
  for (let start = 0; start < values.length; start += classes) {
    const end = start + classes
    let largest = Number.NEGATIVE_INFINITY
    for (let i = start; i < end; i++) largest = Math.max(largest, values[i]!)
    let sum = 0
    for (let i = start; i < end; i++) sum += values[i] = Math.exp(values[i]! - largest)
    for (let i = start; i < end; i++) values[i]! /= sum
  }
  return values
}
