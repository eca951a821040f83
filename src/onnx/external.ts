import { byteLength } from '../base/dtype.ts'
import { elementCount } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { type Body, bodiesOf, type Graph } from '../graph/graph.ts'
import type { ExternalRange } from './writing.ts'

/** The standard asks for offsets at whole pages, so that files can be mapped into memory. */
const page = 4096

export interface ExternalLayout {
  readonly ranges: ReadonlyMap<Tensor, ExternalRange>
  /** Size of the data file. */
  readonly byteLength: number
}

/**
 * Where each tensor of at least `threshold` bytes goes in one external data file: initializers and tensors in
 * attributes, of all bodies. One tensor under several names is stored once. What lies between ranges is not read.
 */
export function layOut(graph: Graph, { threshold = page }: { readonly threshold?: number } = {}): ExternalLayout {
  const ranges = new Map<Tensor, ExternalRange>()
  let end = 0
  for (const tensor of tensorsOf(graph)) {
    const length = byteLength(tensor.dtype, elementCount(tensor.shape))
    if (tensor.dtype === 'string' || length < threshold || ranges.has(tensor)) continue
    const offset = Math.ceil(end / page) * page
    ranges.set(tensor, { offset, length })
    end = offset + length
  }
  return { ranges, byteLength: end }
}

/** Bytes that the tensors of a graph take, strings and sparse ones not counted. */
export function tensorBytesOf(graph: Graph): number {
  let sum = 0
  for (const { dtype, shape } of tensorsOf(graph)) sum += byteLength(dtype, elementCount(shape))
  return sum
}

function* tensorsOf(body: Body): Iterable<Tensor> {
  yield* body.initializers.values()
  for (const node of body.nodes) {
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.type === 'tensor') yield attribute.value
      if (attribute.type === 'tensors') yield* attribute.value
    }
    for (const inner of bodiesOf(node)) yield* tensorsOf(inner)
  }
}
