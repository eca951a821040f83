import { addDims, type Dim, divideDims, exactQuotient } from '../base/shape.ts'
import { int64s, type Tensor, zeros } from '../base/tensor.ts'
import { agreed, axisOf, contentsOf, given, numbersFrom } from './axes.ts'
import { copyRun, refusePacked, strided, stridesOf } from './elements.ts'
import { filled } from './fill.ts'
import { type Call, free, type InferredType, type Link, operator } from './operator.ts'

export const concat = operator('Concat', {
  infer: ({ attributes, inputs }) => [
    concatType(
      inputs.map(type => type!),
      attributes.axis ?? 1,
    ),
  ],
  gradient: ({ op, attributes: { axis }, x, dy: [dy], needs }) => {
    const at = axisOf(axis, op.shape(dy!).length)
    const sizes = x.map(ref => op.shape(ref)[at]!)
    const wanted = needs.flatMap((need, i) => (need ? [i] : []))
    if (wanted.length === 1 && x.length > 1) {
      const only = wanted[0]!
      const start = sizes.slice(0, only).reduce((a, b) => a + b, 0)
      const slice = op.Slice([dy, op.ints([start]), op.ints([start + sizes[only]!]), op.ints([at])])
      return x.map((_, i) => (i === only ? slice : null))
    }
    return op.many('Split', x.length, [dy, op.ints(sizes)], { axis })
  },
  coupling: ({ attributes: { axis }, inputs, outputs: [y] }) => {
    const rank = y!.shape!.length
    const at = axisOf(axis ?? 1, rank)
    let offset = 0
    return inputs.flatMap((type, i) => {
      const before = offset
      offset += Number(type!.shape![at])
      return Array.from({ length: rank }, (_, k): Link => {
        const map = k === at ? { offset: before } : ('same' as const)
        return { from: ['in', i, k], to: ['out', 0, k], map }
      })
    })
  },
  cost: free,
  moves: 'all',
  evaluate: ({ attributes: { axis } }, inputs) => [
    concatenated(
      inputs.map(t => t!),
      axis,
    ),
  ],
  upgrades: [
    // The axis did not have to be said.
    { to: 4, apply: ({ attributes: { axis } }, op, x) => [op.Concat(x, { axis: axis ?? 1 })] },
  ],
})

function concatType(inputs: readonly InferredType[], axis: number): InferredType {
  const { dtype } = inputs[0]!
  const shapes = inputs.map(type => type.shape).filter(shape => shape !== undefined)
  if (shapes.length === 0) return { dtype, shape: undefined }
  const rank = shapes[0]!.length
  const at = axisOf(axis, rank)
  if (shapes.some(shape => shape.length !== rank))
    throw new Error(`inputs of different rank: ${shapes.map(s => `[${s}]`)}`)
  const shape = Array.from({ length: rank }, (_, k): Dim => {
    if (k === at) return shapes.length < inputs.length ? '' : shapes.map(s => s[k]!).reduce(addDims)
    return agreed(shapes.map(s => s[k]!))
  })
  return { dtype, shape }
}

export function concatenated(inputs: readonly Tensor[], axis: number): Tensor {
  const { dtype, shape: first } = inputs[0]!
  const at = axisOf(axis, first.length)
  const size = inputs.reduce((sum, t) => sum + t.shape[at]!, 0)
  const shape = first.map((dim, k) => (k === at ? size : dim))
  const outer = first.slice(0, at).reduce((a, b) => a * b, 1)
  refusePacked(inputs[0]!)
  const joined = zeros(dtype, shape)
  const row = joined.data.length / outer
  let start = 0
  for (const t of inputs) {
    const from = t.data
    const length = from.length / outer
    for (let i = 0; i < outer; i++) copyRun(from, i * length, joined.data, i * row + start, length)
    start += length
  }
  return joined
}

export const split = operator('Split', {
  infer: call => {
    const [x] = call.inputs
    if (!x!.shape) return call.node.outputs.map(() => ({ dtype: x!.dtype, shape: undefined }))
    const at = axisOf(call.attributes.axis, x!.shape.length)
    const sizes = splitSizes(call, x!.shape[at]!)
    return sizes.map(size => ({ dtype: x!.dtype, shape: x!.shape!.map((dim, k) => (k === at ? size : dim)) }))
  },
  gradient: ({ op, attributes: { axis }, y, dy }) => {
    const parts = dy.map((d, i) => d ?? filled(op, y[i]!, op.shape(y[i]!), 0))
    return [op.Concat(parts, { axis })]
  },
  coupling: ({ attributes: { axis }, inputs: [x], outputs }) => {
    const rank = x!.shape!.length
    const at = axisOf(axis, rank)
    let start = 0
    return outputs.flatMap((type, i) => {
      const offset = -start
      start += Number(type?.shape?.[at])
      return Array.from({ length: rank }, (_, k): Link => {
        const map = k === at ? { offset } : ('same' as const)
        return { from: ['in', 0, k], to: ['out', i, k], map }
      })
    })
  },
  prune: ({ attributes: { axis }, constant, after }) => {
    const sizes = after.outputs.map(shape => Number(shape?.[axisOf(axis, shape.length)]))
    const equal = sizes.every(size => size === sizes[0])
    // Sizes that were equal by request need saying where they no longer are.
    if (!constant(1) && equal) return {}
    return { inputs: { 1: int64s(sizes) }, attributes: { num_outputs: undefined } }
  },
  cost: free,
  moves: [0],
  evaluate: (call, [x]) => {
    const at = axisOf(call.attributes.axis, x!.shape.length)
    let start = 0
    return splitSizes(call, x!.shape[at]!).map(size => {
      const part = sliceAlong(x!, at, start, Number(size))
      start += Number(size)
      return part
    })
  },
  upgrades: [
    {
      // The sizes were an input as well.
      to: 2,
      apply(call, op, [x]) {
        const { axis = 0 } = call.attributes
        const sizes = numbersFrom(call, 1, 'split')
        if (!sizes && call.node.inputs[1]) throw new Error('its sizes must be constant')
        return op.many('Split', call.node.outputs.length, [x], { axis, ...(sizes ? { split: [...sizes] } : {}) })
      },
    },
    {
      to: 13,
      apply({ attributes, node }, op, [x]) {
        const { axis, split: sizes } = attributes as { axis: number; split?: readonly number[] }
        return op.many('Split', node.outputs.length, [x, sizes && op.ints(sizes)], { axis })
      },
    },
    {
      to: 18,
      apply: ({ attributes: { axis }, node }, op, [x, sizes]) =>
        // Equal parts are asked for by their number from here on.
        op.many('Split', node.outputs.length, [x, sizes], {
          axis,
          ...(sizes ? {} : { num_outputs: node.outputs.length }),
        }),
    },
  ],
})

/** `size` neighbours along an axis. */
function sliceAlong(t: Tensor, axis: number, start: number, size: number): Tensor {
  const strides = stridesOf(t.shape)
  return strided(t, t.shape.with(axis, size), strides, start * strides[axis]!)
}

/** Sizes of the parts: as listed, or as equal as can be, the last one smaller if need be. */
function splitSizes(call: Call<'Split'>, whole: Dim): readonly Dim[] {
  const count = call.node.outputs.length
  if (given(call, 1, 'split')) {
    const sizes = contentsOf(call, 1) ?? numbersFrom(call, 1, 'split') ?? new Array<Dim>(count).fill('')
    if (sizes.length !== count) throw new Error(`${sizes.length} sizes for ${count} outputs`)
    const sum = sizes.reduce(addDims)
    if (typeof sum === 'number' && typeof whole === 'number' && sum !== whole) {
      throw new Error(`the sizes [${sizes}] do not add up to ${whole}`)
    }
    return sizes
  }
  const { num_outputs: parts = count } = call.attributes
  if (parts !== count) throw new Error(`it is to be split into ${parts}, but has ${count} outputs`)
  if (typeof whole === 'string') {
    const part = exactQuotient(whole, count)
    if (part !== undefined) return new Array<Dim>(count).fill(part)
    // Until opset 17 there was no remainder; since then the first part is the largest.
    if (call.opset < 18) return new Array<Dim>(count).fill(divideDims(whole, count))
    return [divideDims(addDims(whole, count - 1), count), ...new Array<Dim>(count - 1).fill('')]
  }
  const part = Math.ceil(whole / count)
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, whole - i * part)))
}
