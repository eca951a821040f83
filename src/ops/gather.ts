import { elementCount } from '../base/shape.ts'
import { int64s, numbers, type Tensor, tensor, zeros } from '../base/tensor.ts'
import { axisOf } from './axes.ts'
import type { Ops, Ref } from './build.ts'
import { copyRun, eachPosition, refusePacked, sources, stridesOf, take } from './elements.ts'
import { filled } from './fill.ts'
import { type Backward, free, type InferredType, type Link, no, operator } from './operator.ts'

export const gather = operator('Gather', {
  infer: ({ attributes, inputs: [x, indices] }) => {
    const { dtype, shape } = x!
    if (!shape || !indices!.shape) return [{ dtype, shape: undefined }]
    const axis = axisOf(attributes.axis, shape.length)
    return [{ dtype, shape: [...shape.slice(0, axis), ...indices!.shape, ...shape.slice(axis + 1)] }]
  },
  gradient: call => [gatherGradient(call), null],
  coupling: ({ attributes, inputs: [x, indices], constant }) => {
    const rank = x!.shape!.length
    const axis = axisOf(attributes.axis, rank)
    const width = indices!.shape!.length
    const size = Number(x!.shape![axis])
    const others = Array.from({ length: rank }, (_, k) => k).filter(k => k !== axis)
    const links = others.map(
      (k): Link => ({ from: ['in', 0, k], to: ['out', 0, k < axis ? k : k + width - 1], map: 'same' }),
    )
    const picked = constant(1)
    if (width !== 1 || !picked) return links
    const index = Array.from(numbers(picked), i => (i < 0 ? i + size : i))
    return [...links, { from: ['in', 0, axis], to: ['out', 0, axis], map: { index } }]
  },
  prune: ({ attributes, constant, inputs, kept }) => {
    const picked = constant(1)
    const rank = inputs[0]!.shape!.length
    const axis = axisOf(attributes.axis, rank)
    const [from, to] = [kept('in', 0, axis), kept('out', 0, axis)]
    if (picked?.shape.length !== 1 || (!from && !to)) return {}
    const size = Number(inputs[0]!.shape![axis])
    const index = Array.from(numbers(picked), i => (i < 0 ? i + size : i))
    const stays = (to ?? index.map((_, k) => k)).map(k => index[k]!)
    return { inputs: { 1: int64s(from ? stays.map(i => from.indexOf(i)) : stays) } }
  },
  cost: free,
  moves: [0],
  evaluate: ({ attributes }, [x, indices]) => {
    const axis = axisOf(attributes.axis, x!.shape.length)
    refusePacked(x!)
    const shape = [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)]
    const at = indexReader(indices!, x!.shape[axis]!)
    const made = zeros(x!.dtype, shape)
    const [outer, count] = [elementCount(x!.shape.slice(0, axis)), elementCount(indices!.shape)]
    const row = elementCount(x!.shape.slice(axis + 1))
    const { data } = x!
    for (let i = 0; i < outer; i++) {
      const start = i * x!.shape[axis]! * row
      for (let k = 0; k < count; k++) copyRun(data, start + at(k) * row, made.data, (i * count + k) * row, row)
    }
    return [made]
  },
})

/** Reads indices, negative ones counted from the end. @throws Error if one is outside. */
function indexReader(indices: Tensor, size: number): (flat: number) => number {
  const values = numbers(indices)
  return flat => axisOf(values[flat]!, size)
}

function gatherGradient({ op, attributes, x: [x, indices], dy: [dy], constant }: Backward<'Gather'>): Ref {
  const shape = op.shape(x!)
  const axis = axisOf(attributes.axis, shape.length)
  const picked = constant(1)
  const size = shape[axis]!
  const known = picked && Array.from(numbers(picked), i => (i < 0 ? i + size : i))
  if (known && picked.shape.length === 1 && isPermutation(known, size)) {
    return op.Gather([dy, op.ints(known.map((_, i) => known.indexOf(i)))], { axis })
  }
  if (known?.length === 1) {
    const single = op.Reshape([dy, op.ints(shape.map((dim, k) => (k === axis ? 1 : dim)))])
    const before = shape.map((_, k) => (k === axis ? known[0]! : 0))
    const after = shape.map((_, k) => (k === axis ? size - 1 - known[0]! : 0))
    return op.Pad([single, op.ints([...before, ...after])])
  }
  // ScatterND adds whole rows, which ScatterElements does six times slower; so the axis goes to the front and back.
  const width = op.shape(indices!).length
  const front = [...range(axis, width), ...range(0, axis), ...range(axis + width, shape.length - axis - 1)]
  const rows = axis === 0 ? dy! : op.Transpose([dy], { perm: front })
  const table = [size, ...shape.filter((_, k) => k !== axis)]
  const start = filled(op, dy!, table, 0)
  const summed = op.ScatterND([start, op.Unsqueeze([indices, op.ints([-1])]), rows], { reduction: 'add' })
  if (axis === 0) return summed
  return op.Transpose([summed], { perm: [...range(1, axis), 0, ...range(axis + 1, shape.length - axis - 1)] })
}

function range(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start + i)
}

function isPermutation(index: readonly number[], size: number): boolean {
  return index.length === size && new Set(index).size === size
}

export const gatherElements = operator('GatherElements', {
  infer: ({ inputs: [x, indices] }) => [{ dtype: x!.dtype, shape: indices!.shape }],
  gradient: ({ op, attributes: { axis }, x: [x, indices], dy: [dy] }) => [
    op.ScatterElements([filled(op, x!, op.shape(x!), 0), indices, dy], { axis, reduction: 'add' }),
    null,
  ],
  coupling: no('its indices say which element each place takes'),
  cost: free,
  moves: [0],
  evaluate: ({ attributes }, [x, indices]) => {
    const axis = axisOf(attributes.axis, x!.shape.length)
    const at = indexReader(indices!, x!.shape[axis]!)
    const strides = stridesOf(indices!.shape)
    const index = sources(indices!.shape, x!.shape, position => {
      const flat = position.reduce((sum, i, k) => sum + i * strides[k]!, 0)
      return position.map((i, k) => (k === axis ? at(flat) : i))
    })
    return [take(x!, indices!.shape, index)]
  },
})

export const gatherND = operator('GatherND', {
  infer: ({ attributes: { batch_dims: batch = 0 }, inputs: [x, indices] }) => [slicesType(x!, indices!, batch)],
  gradient: ({ op, attributes: { batch_dims: batch = 0 }, x: [x, indices], dy: [dy] }) => {
    const full = batch === 0 ? indices! : withBatch(op, indices!, batch)
    return [op.ScatterND([filled(op, x!, op.shape(x!), 0), full, dy], { reduction: 'add' }), null]
  },
  coupling: no('its indices say which slice each place takes'),
  cost: free,
  moves: [0],
  evaluate: ({ attributes: { batch_dims: batch = 0 } }, [x, indices]) => {
    const { shape } = slicesType(x!, indices!, batch) as { shape: readonly number[] }
    const depth = indices!.shape.at(-1)!
    const lead = indices!.shape.length - 1
    const strides = stridesOf(indices!.shape)
    const values = numbers(indices!)
    const index = sources(shape, x!.shape, position => {
      const row = position.slice(0, lead).reduce((sum, i, k) => sum + i * strides[k]!, 0)
      const picked = range(0, depth).map(k => axisOf(values[row + k]!, x!.shape[batch + k]!))
      return [...position.slice(0, batch), ...picked, ...position.slice(lead)]
    })
    return [take(x!, shape, index)]
  },
})

function slicesType(x: InferredType, indices: InferredType, batch: number): InferredType {
  const depth = indices.shape?.at(-1)
  if (!x.shape || !indices.shape || typeof depth !== 'number') return { dtype: x.dtype, shape: undefined }
  if (batch + depth > x.shape.length)
    throw new Error(`indices of ${depth} axes after ${batch} into rank ${x.shape.length}`)
  return { dtype: x.dtype, shape: [...indices.shape.slice(0, -1), ...x.shape.slice(batch + depth)] }
}

/** Indices that name the batch axes too, for operators that have no `batch_dims`. */
function withBatch(op: Ops, indices: Ref, batch: number): Ref {
  const shape = op.shape(indices).slice(0, -1)
  const coordinates: number[] = []
  eachPosition(shape, position => coordinates.push(...position.slice(0, batch)))
  const data = BigInt64Array.from(coordinates, BigInt)
  return op.Concat([op.constant(tensor('int64', [...shape, batch], data), 'batch'), indices], { axis: -1 })
}
