import { type Dim, type Shape, sameDim } from '../../base/shape.ts'
import { int64s } from '../../base/tensor.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import type { Tools } from '../../rewrite/rule.ts'

type Look = Pick<Tools, 'producer' | 'type' | 'readers' | 'attributes'>

/** Some consecutive dimensions of a value. */
export interface Run {
  readonly ref: Ref
  readonly start: number
  readonly end: number
}

/** Where dimensions stand side by side in a shape; -1 if nowhere. */
export function placeOf(dims: Shape, shape: Shape | undefined): number {
  if (!shape) return -1
  for (let at = 0; at + dims.length <= shape.length; at++) {
    if (dims.every((dim, i) => sameDim(dim, shape[at + i]!))) return at
  }
  return -1
}

/**
 * The value furthest up that has the same dimensions: an input of the graph in most cases, so that what reads dimensions
 * reads them all from one place and as early as can be.
 */
export function climb(run: Run, { producer, type }: Look): Run {
  const dims = type(run.ref)?.shape?.slice(run.start, run.end) ?? []
  let current = run
  for (;;) {
    let above: Run | undefined
    for (const ref of producer(current.ref)?.inputs ?? []) {
      const start = ref === '' ? -1 : placeOf(dims, type(ref)?.shape)
      if (start < 0) continue
      above = { ref, start, end: start + dims.length }
      break
    }
    if (!above) return current
    current = above
  }
}

/** A piece of a list of dimensions: numbers, or what a Shape node reads. */
export type Piece = { readonly numbers: readonly number[] } | Run

/** A list of dimensions as numbers and runs read from the values given, the longest first; undefined if one has no source. */
export function piecesOf(dims: readonly Dim[], sources: readonly Ref[], look: Look): readonly Piece[] | undefined {
  const pieces: Piece[] = []
  for (let at = 0; at < dims.length; ) {
    const symbol = dims.findIndex((dim, i) => i >= at && typeof dim !== 'number')
    const plain = (symbol < 0 ? dims.length : symbol) - at
    const run = longestRun(dims, at, sources, look)
    if (run && run.end - run.start > plain) {
      pieces.push(climb(run, look))
      at += run.end - run.start
    } else if (plain > 0) {
      pieces.push({ numbers: dims.slice(at, at + plain) as number[] })
      at += plain
    } else return undefined
  }
  return pieces
}

function longestRun(dims: readonly Dim[], at: number, sources: readonly Ref[], look: Look): Run | undefined {
  let best: Run | undefined
  for (const ref of sources) {
    const shape = look.type(ref)?.shape ?? []
    for (let start = 0; start < shape.length; start++) {
      let end = start
      while (end < shape.length && at + end - start < dims.length && sameDim(dims[at + end - start]!, shape[end]!))
        end++
      if (end - start > (best ? best.end - best.start : 0)) best = { ref, start, end }
    }
  }
  return best
}

/** The value of a Shape node that reads just these dimensions already. */
export function existingShape(run: Run, { readers, type, attributes }: Look): Ref | undefined {
  const rank = type(run.ref)?.shape?.length ?? 0
  const counted = (axis: number) => Math.min(Math.max(axis < 0 ? axis + rank : axis, 0), rank)
  for (const node of readers(run.ref)) {
    if (node.op !== 'Shape' || node.domain !== '') continue
    const { start = 0, end = rank } = attributes(node) as { start?: number; end?: number }
    if (counted(start) === run.start && counted(end) === run.end) return node.outputs[0]
  }
  return undefined
}

/** Nodes that `emitPieces` adds. */
export function costOf(pieces: readonly Piece[], look: Look): number {
  const reading = pieces.filter(piece => 'ref' in piece && existingShape(piece, look) === undefined)
  return reading.length + (pieces.length > 1 ? 1 : 0)
}

/** The list as a vector of int64. */
export function emitPieces(op: Ops, pieces: readonly Piece[], look: Look): Ref {
  const parts = pieces.map(piece => {
    if ('numbers' in piece) return op.constant(int64s(piece.numbers), 'dims')
    const { ref, start, end } = piece
    const whole = start === 0 && end === look.type(ref)?.shape?.length
    return existingShape(piece, look) ?? op.Shape([ref], whole ? {} : { start, end })
  })
  return parts.length === 1 ? parts[0]! : op.Concat(parts, { axis: 0 })
}
