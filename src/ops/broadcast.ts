import { type Dim, type Shape, sameDim } from '../base/shape.ts'
import type { IndexMap, InferredType, Link, TypedCall } from './operator.ts'

/** NumPy's broadcasting of shapes (ONNX "multidirectional"). undefined if a rank is not known. */
export function broadcast(shapes: readonly (Shape | undefined)[]): Shape | undefined {
  if (shapes.some(shape => shape === undefined)) return undefined
  const known = shapes as readonly Shape[]
  const rank = Math.max(0, ...known.map(shape => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    let result: Dim = 1
    for (const shape of known) {
      const dim = shape[axis - rank + shape.length] ?? 1
      if (dim === 1 || sameDim(dim, result)) continue
      if (result === 1) result = dim
      else if (typeof dim === 'number' && typeof result === 'number') {
        throw new Error(`shapes ${known.map(s => `[${s}]`).join(' and ')} do not broadcast`)
      }
      // A symbol against a size other than 1 must equal it (or be 1): the size is what comes out.
      else if (typeof dim === 'number') result = dim
      else if (typeof result === 'string') result = ''
    }
    return result
  })
}

/** The type of an elementwise result. */
export function broadcastType(inputs: readonly (InferredType | undefined)[], dtype = inputs[0]!.dtype): InferredType {
  return { dtype, shape: broadcast(inputs.map(type => type?.shape)) }
}

/** Every axis of every input moves with the output's, unless it is broadcast. */
export function elementwiseLinks({ inputs, outputs }: TypedCall): readonly Link[] {
  const rank = outputs[0]?.shape?.length ?? 0
  return inputs.flatMap((type, i) =>
    (type?.shape ?? []).flatMap((dim, axis): Link[] =>
      dim === 1
        ? []
        : [
            {
              from: ['in', i, axis],
              to: ['out', 0, axis + rank - type!.shape!.length],
              map: 'same' satisfies IndexMap,
            },
          ],
    ),
  )
}
