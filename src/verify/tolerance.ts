import type { DType } from '../base/dtype.ts'
import { isTensorType } from '../base/shape.ts'
import type { Graph } from '../graph/graph.ts'
import { infer } from '../read/infer.ts'

/**
 * Part of its scale by which a floating-point output may move when a graph is rewritten, by the coarsest arithmetic in it.
 * Reassociated sums of float32 move by 1e-7 to 1e-5 in networks a hundred layers deep; that of 16 bits has 3 digits (2 in
 * bfloat16). Where numbers are rounded to 8 bits or fewer on the way, the last digit of a float may tip one to the next
 * step, and everything after it follows.
 */
export function toleranceOf(graph: Graph): number {
  const met = new Set<DType>()
  for (const type of infer(graph).values()) if (isTensorType(type)) met.add(type.dtype)
  if (met.has('bfloat16')) return 5e-2
  if (met.has('float16') || roundsToSteps(graph)) return 1e-2
  return met.has('float32') || !met.has('float64') ? 1e-4 : 1e-9
}

/** Whether some node makes numbers of 8 bits or fewer from floats. */
export function roundsToSteps(graph: Graph): boolean {
  const types = infer(graph)
  const is = (name: string, pattern: RegExp) => {
    const type = types.get(name)
    return isTensorType(type) && pattern.test(type.dtype)
  }
  return graph.nodes.some(
    node =>
      node.outputs.some(name => is(name, /^(u?int[248]|float[48]\w+)$/)) &&
      node.inputs.some(name => is(name, /^b?float(16|32|64)$/)),
  )
}
