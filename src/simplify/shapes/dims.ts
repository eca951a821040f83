import { type Dim, type Shape, sameDim } from '../../base/shape.ts'
import { int64s } from '../../base/tensor.ts'
import { countedAxis } from '../../ops/axes.ts'
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

interface Bounds {
  readonly start?: number | undefined
  readonly end?: number | undefined
}

/** Which dimensions of a value a Shape node with such attributes gives. */
export function runOf(ref: Ref, rank: number, { start = 0, end = rank }: Bounds): Run {
  const counted = (axis: number) => Math.min(Math.max(countedAxis(axis, rank), 0), rank)
  return { ref, start: counted(start), end: counted(end) }
}

/** What the Shape nodes that read a value give. */
export function shapesOf(ref: Ref, { readers, type, attributes }: Look): readonly (Run & { readonly output: Ref })[] {
  const rank = type(ref)?.shape?.length ?? 0
  return [...readers(ref)]
    .filter(node => node.op === 'Shape' && node.domain === '')
    .map(node => ({ ...runOf(ref, rank, attributes(node)), output: node.outputs[0]! }))
}

/** The value of a Shape node that reads just these dimensions already. */
export function existingShape({ ref, start, end }: Run, look: Look): Ref | undefined {
  return shapesOf(ref, look).find(run => run.start === start && run.end === end)?.output
}

/** The opset that first lets a Shape read some of the dimensions alone: before it, a Slice takes them from all. */
const readsSome = 15

/** Whether one Shape node reads the run. */
export function isOneNode({ ref, start, end }: Run, { type }: Look, opset: number): boolean {
  return opset >= readsSome || (start === 0 && end === type(ref)?.shape?.length)
}

/** All dimensions of a run's value. */
function wholeOf({ ref }: Run, { type }: Look): Run {
  return { ref, start: 0, end: type(ref)?.shape?.length ?? 0 }
}

/** What the run is, or would be, read from: the value of a Shape node that is there, or the value itself. */
export function sourceOf(run: Run, look: Look, opset: number): Ref {
  const whole = isOneNode(run, look, opset) ? undefined : existingShape(wholeOf(run, look), look)
  return existingShape(run, look) ?? whole ?? run.ref
}

/** Nodes that `emitPieces` adds. */
export function costOf(pieces: readonly Piece[], look: Look, opset: number): number {
  const reading = pieces.map(piece => {
    if (!('ref' in piece) || existingShape(piece, look) !== undefined) return 0
    return isOneNode(piece, look, opset) || existingShape(wholeOf(piece, look), look) !== undefined ? 1 : 2
  })
  return reading.reduce<number>((sum, nodes) => sum + nodes, 0) + (pieces.length > 1 ? 1 : 0)
}

/** The list as a vector of int64. */
export function emitPieces(op: Ops, pieces: readonly Piece[], look: Look, opset: number): Ref {
  const parts = pieces.map(piece =>
    'numbers' in piece ? op.constant(int64s(piece.numbers), 'dims') : emitRun(op, piece, look, opset),
  )
  return parts.length === 1 ? parts[0]! : op.Concat(parts, { axis: 0 })
}

/** The run as a vector of int64. */
export function emitRun(op: Ops, run: Run, look: Look, opset: number): Ref {
  const known = existingShape(run, look)
  if (known !== undefined) return known
  const { ref, start, end } = run
  const whole = wholeOf(run, look)
  if (start === 0 && end === whole.end) return op.Shape([ref])
  if (opset >= readsSome) return op.Shape([ref], { start, end })
  const all = existingShape(whole, look) ?? op.Shape([ref])
  return op.Slice([all, op.ints([start]), op.ints([end]), op.ints([0])])
}
