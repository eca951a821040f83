import { type DType, isInteger } from '../../base/dtype.ts'
import { type Tensor, tensor } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import { elementsOf, tensorOf } from '../elements.ts'

/** What tables map: texts, integers as bigints (exact), and other numbers. */
export type Entry = string | number | bigint

/** A list with the element type that its attribute's name tells. */
export interface Entries {
  readonly dtype: DType
  readonly list: readonly Entry[]
}

/** Endings of attributes' names, and what lists by such a name hold. */
const kinds: readonly (readonly [string, DType])[] = [
  ['strings', 'string'],
  ['int64s', 'int64'],
  ['floats', 'float32'],
]

/** The list among a node's attributes `name_strings`, `name_int64s`, `name_floats` and `name_tensor`, if there is one. */
export function entriesOf(node: Node, name: string): Entries | undefined {
  const held = node.attributes[`${name}_tensor`]
  if (held?.type === 'tensor') return { dtype: held.value.dtype, list: elementsIn(held.value) }
  for (const [kind, dtype] of kinds) {
    const attribute = node.attributes[`${name}_${kind}`]
    if (!attribute || !Array.isArray(attribute.value) || attribute.value.length === 0) continue
    const list = attribute.value as readonly Entry[]
    return { dtype, list: dtype === 'int64' ? list.map(BigInt) : list }
  }
  return undefined
}

/** A tensor's elements as entries. */
export function elementsIn(t: Tensor): readonly Entry[] {
  return t.dtype === 'string' ? (t.data as readonly string[]) : elementsOf(t)
}

/** A tensor of entries of one kind. */
export function tensorFrom(dtype: DType, shape: readonly number[], list: readonly Entry[]): Tensor {
  if (dtype === 'string') return tensor('string', shape, list as readonly string[] as string[])
  return tensorOf(dtype, shape, isInteger(dtype) ? list.map(BigInt) : list.map(Number))
}
