import { type Dim, elementCount, isFixed, isTensorType, type ValueType } from '../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../base/tensor.ts'
import { isFollowed, mostFollowed, withContents } from './contents.ts'
import { type Call, type InferredType, isNo, type Operator } from './operator.ts'

type Found = InferredType | ValueType | undefined

/**
 * Contents for the outputs that inference has none for: computed by the record's evaluation, where all the inputs'
 * contents are known numbers, and moved to their new places, symbols too, by operators that only move elements.
 */
export function withFollowed(record: Operator, call: Call, found: readonly Found[]): readonly Found[] {
  const { evaluate } = record
  if (isNo(evaluate) || !found.some(wants)) return found
  const inputs = operandsOf(record, call)
  if (!inputs) return found
  const made = attempt(() => evaluate(call, inputs))
  return found.map((type, i) => {
    const value = made?.[i]
    if (!value || !wants(type)) return type
    const symbolic = value.dtype === 'string'
    const contents = symbolic ? (value.data as readonly unknown[] as readonly Dim[]) : Array.from(numbers(value))
    return withContents({ dtype: type.dtype, shape: value.shape }, contents)
  })
}

/** Whether a type could have contents and has none; of many elements they would be in vain. */
function wants(type: Found): type is InferredType {
  if (!isTensorType(type) || !isFollowed(type.dtype) || !type.shape) return false
  const { value } = type as InferredType
  return value === undefined && (!isFixed(type.shape) || elementCount(type.shape) <= mostFollowed)
}

/** The inputs as tensors, those that are moved as symbols where one of them has any; undefined if too little is known. */
function operandsOf({ moves }: Operator, call: Call): readonly (Tensor | undefined)[] | undefined {
  const { node, inputs } = call
  const moved = (i: number) => moves === 'all' || moves.includes(i)
  let symbolic = false
  let anything = false
  for (const [i, name] of node.inputs.entries()) {
    if (name === '') continue
    const type = inputs[i]
    if (!isFixed(type?.shape) || elementCount(type.shape) > mostFollowed || !isFollowed(type.dtype)) return undefined
    const exact = call.constant(i) !== undefined || (type.value?.every(isExact) ?? false)
    if (!exact && !moved(i)) return undefined
    anything ||= type.value !== undefined && (moved(i) || moves.length === 0)
    symbolic ||= !exact
  }
  if (!anything) return undefined
  return node.inputs.map((name, i) => {
    if (name === '') return undefined
    const { dtype, shape, value } = inputs[i] as InferredType & { readonly shape: readonly number[] }
    if (!symbolic || !moved(i)) return call.constant(i) ?? fromNumbers(dtype, shape, value as readonly number[])
    // What such a tensor is asked for beside its shape is only to put its elements elsewhere.
    const data = (value ?? new Array<Dim>(elementCount(shape)).fill('')) as readonly string[]
    return { dtype: 'string', shape, data }
  })
}

/** Beyond 2^53 a number is not the integer that it stands for. */
function isExact(dim: Dim): boolean {
  return typeof dim === 'number' && (!Number.isInteger(dim) || Number.isSafeInteger(dim))
}

/** What cannot be evaluated here (a division by zero, a type without arithmetic) is left for the runtime to judge. */
function attempt(evaluate: () => readonly Tensor[]): readonly Tensor[] | undefined {
  try {
    return evaluate()
  } catch {
    return undefined
  }
}
