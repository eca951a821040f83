import type { DType, TypedArray } from '../base/dtype.ts'
import { elementCount } from '../base/shape.ts'
import { allocate, type Tensor, zeros } from '../base/tensor.ts'
import type { Ops, Ref } from '../ops/build.ts'

/** Where one of the model's tensors lies inside of a state tensor. */
export interface Held {
  readonly name: string
  readonly shape: readonly number[]
  /** In elements. */
  readonly offset: number
}

/** A tensor that a step reads from one input and hands on, changed, as one output. */
export interface StateTensor {
  readonly input: string
  readonly output: string
  readonly initial: Tensor
  /** `parameter` and `statistic` hold tensors of the model, `optimizer` the optimizer's memory of a parameter state. */
  readonly role: 'parameter' | 'optimizer' | 'statistic'
  readonly holds: readonly Held[]
}

/** Tensors smaller than this (in elements) share one state vector: fewer inputs, outputs and updates to call for. */
const slabLimit = 65536

/** Tensors that are kept, and updated, as one. */
export interface Slab {
  readonly name: string
  readonly dtype: DType
  readonly holds: readonly Held[]
  /** 1-D where several tensors share it, else the one tensor's own shape. */
  readonly shape: readonly number[]
}

/** Groups tensors into slabs: large ones alone, small ones of one type together. */
export function slabsOf(prefix: string, tensors: readonly (readonly [name: string, value: Tensor])[]): readonly Slab[] {
  const slabs: Slab[] = []
  const small = new Map<DType, { holds: Held[]; size: number }>()
  for (const [name, { dtype, shape }] of tensors) {
    const size = elementCount(shape)
    if (size >= slabLimit) {
      slabs.push({ name: `${prefix}/${name}`, dtype, shape, holds: [{ name, shape, offset: 0 }] })
      continue
    }
    const slab = small.get(dtype) ?? { holds: [], size: 0 }
    small.set(dtype, slab)
    slab.holds.push({ name, shape, offset: slab.size })
    slab.size += size
  }
  for (const [dtype, { holds, size }] of small) {
    slabs.push({ name: small.size === 1 ? prefix : `${prefix}:${dtype}`, dtype, holds, shape: [size] })
  }
  return slabs
}

/** The slab's tensors laid one behind another. */
export function pack(slab: Slab, initialOf: (name: string) => Tensor): Tensor {
  const [first] = slab.holds
  if (slab.holds.length === 1 && slab.shape === first!.shape) return initialOf(first!.name)
  const data = allocate(slab.dtype, slab.shape[0]!) as Float32Array
  for (const { name, offset } of slab.holds) data.set(initialOf(name).data as Float32Array, offset)
  return { dtype: slab.dtype, shape: slab.shape, data }
}

export function emptySlab({ dtype, shape }: Slab): Tensor {
  return zeros(dtype, shape)
}

/** The model's tensors inside of a state tensor, as views on its memory. */
export function unpack(
  { holds }: { readonly holds: readonly Held[] },
  packed: Tensor,
): readonly (readonly [name: string, value: Tensor])[] {
  return holds.map(({ name, shape, offset }) => {
    const data = (packed.data as TypedArray).subarray(offset, offset + elementCount(shape))
    return [name, { dtype: packed.dtype, shape, data } as Tensor] as const
  })
}

/** Emits nodes that give each held tensor, in order, from the slab. */
export function split(op: Ops, slab: Slab, packed: Ref): readonly Ref[] {
  if (slab.holds.length === 1) {
    const [{ shape }] = slab.holds as [Held]
    return [slab.shape === shape ? packed : op.Reshape([packed, op.ints(shape)])]
  }
  const sizes = slab.holds.map(({ shape }) => elementCount(shape))
  const parts = op.many('Split', sizes.length, [packed, op.ints(sizes)], { axis: 0 })
  return parts.map((part, i) => op.Reshape([part, op.ints(slab.holds[i]!.shape)]))
}

/** Emits nodes that lay the held tensors' values one behind another. */
export function join(op: Ops, slab: Slab, values: readonly Ref[]): Ref {
  if (slab.holds.length === 1 && slab.shape === slab.holds[0]!.shape) return values[0]!
  const flat = values.map(value => op.Reshape([value, op.ints([-1])]))
  return flat.length === 1 ? flat[0]! : op.Concat(flat, { axis: 0 })
}
