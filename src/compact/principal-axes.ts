/**
 * The leading eigenvectors of a symmetric matrix without negative eigenvalues, by power iteration and deflation; for
 * the small ones that kernels make. Fewer than `count` where the matrix has a lower rank.
 * @param matrix row-major, size * size
 */
export function principalAxes(matrix: Float64Array, size: number, count: number): Float64Array[] {
  const rest = matrix.slice()
  const trace = () => Array.from({ length: size }, (_, i) => rest[i * size + i]!).reduce((sum, value) => sum + value, 0)
  const negligible = trace() * 1e-14
  const axes: Float64Array[] = []
  while (axes.length < Math.min(count, size) && trace() > negligible) {
    let axis = mixture(rest, size)
    for (let i = 0; i < iterations; i++) {
      const next = unit(multiply(rest, axis, size))
      const moved = next.reduce((sum, value, k) => sum + Math.abs(value - axis[k]!), 0)
      axis = next
      if (moved < 1e-12) break
    }
    const value = dot(axis, multiply(rest, axis, size))
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) rest[i * size + j]! -= value * axis[i]! * axis[j]!
    axes.push(axis)
  }
  return axes
}

const iterations = 500

/** A start with a share of every eigenvector whose value is not zero: the columns, in uneven parts. */
function mixture(matrix: Float64Array, size: number): Float64Array {
  const parts = Float64Array.from({ length: size }, (_, i) => 1 + ((i * golden) % 1))
  return unit(multiply(matrix, parts, size))
}

const golden = 0.6180339887498949

function multiply(matrix: Float64Array, vector: Float64Array, size: number): Float64Array {
  return vector.map((_, i) => dot(matrix.subarray(i * size, (i + 1) * size), vector))
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.sqrt(dot(vector, vector))
  return length > 0 ? vector.map(value => value / length) : vector
}
