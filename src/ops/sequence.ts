import { isTensorType, type TensorType, type ValueType } from '../base/shape.ts'
import { axisOf, contentsOf, numbersIn } from './axes.ts'
import { typeNumbered } from './cast.ts'
import { common } from './control-flow.ts'
import type { Call } from './operator.ts'
import { free, no, operator } from './operator.ts'
import { type OpName, refuse } from './spec.ts'

// Sequences and optionals: their types are followed, and no more.

const noGradient = no('gradients flow through tensors, not through sequences')
const noCoupling = no('channels are followed through tensors, not through sequences')
const noValue = no('sequences are not constants')

function onSequences<K extends OpName>(
  type: K,
  infer: (call: Call<K>) => readonly (ValueType | undefined)[],
  hazard: (call: Call<K>) => boolean = () => false,
) {
  return operator(type, {
    infer,
    hazard,
    gradient: noGradient,
    coupling: noCoupling,
    cost: free,
    evaluate: noValue,
    accepts: 'any',
  })
}

const scalar = (dtype: TensorType['dtype']): TensorType => ({ dtype, shape: [] })

function elementOf(type: ValueType | undefined): ValueType | undefined {
  if (!type) return undefined
  if ('sequence' in type) return type.sequence
  return 'optional' in type ? elementOf(type.optional) : undefined
}

const sequenceOf = (element: ValueType | undefined): ValueType | undefined => element && { sequence: element }

export const sequenceConstruct = onSequences('SequenceConstruct', ({ inputTypes }) => [
  sequenceOf(inputTypes.reduce((a, b) => common(a, b))),
])
export const sequenceEmpty = onSequences('SequenceEmpty', ({ attributes: { dtype } }) => [
  { sequence: { dtype: dtype === undefined ? 'float32' : typeNumbered(dtype), shape: undefined } },
])
export const sequenceAt = onSequences('SequenceAt', ({ inputTypes: [sequence] }) => [elementOf(sequence)])
export const sequenceLength = onSequences('SequenceLength', () => [scalar('int64')])
export const sequenceErase = onSequences('SequenceErase', ({ inputTypes: [sequence] }) => [sequence])
export const sequenceInsert = onSequences('SequenceInsert', ({ inputTypes: [sequence, element] }) => [
  sequenceOf(common(elementOf(sequence), element)),
])

export const splitToSequence = onSequences(
  'SplitToSequence',
  call => {
    const { attributes, node, inputs, inputTypes } = call
    const { axis, keepdims } = attributes
    const [x] = inputTypes
    const [size = ''] = contentsOf(call, 1) ?? []
    // An engine divides by it.
    if (inputs[1]?.shape?.length === 0 && typeof size === 'number' && size <= 0)
      refuse(node, `parts have a size above 0, not ${size}.`)
    if (!isTensorType(x) || !x.shape) return [isTensorType(x) ? { sequence: x } : undefined]
    const at = axisOf(axis, x.shape.length)
    // Without sizes the parts are of size 1, and may lose the axis.
    const one = node.inputs[1] ? '' : 1
    const shape = one === 1 && keepdims === 0 ? x.shape.toSpliced(at, 1) : x.shape.with(at, one)
    return [{ sequence: { dtype: x.dtype, shape } }]
  },
  call => Boolean(call.node.inputs[1]) && !numbersIn(call, 1),
)

export const concatFromSequence = onSequences(
  'ConcatFromSequence',
  ({ attributes: { axis, new_axis: stacks }, inputTypes: [s] }) => {
    const element = elementOf(s)
    if (!isTensorType(element)) return [undefined]
    const { dtype, shape } = element
    if (!shape) return [{ dtype, shape: undefined }]
    const at = axisOf(axis, shape.length + (stacks ? 1 : 0))
    return [{ dtype, shape: stacks ? shape.toSpliced(at, 0, '') : shape.with(at, '') }]
  },
)

export const optional = onSequences('Optional', ({ attributes: { type }, inputTypes: [x] }) => {
  const inner = x ?? type
  return [inner && { optional: inner }]
})
export const optionalHasElement = onSequences('OptionalHasElement', () => [scalar('bool')])
export const optionalGetElement = onSequences('OptionalGetElement', ({ inputTypes: [x] }) => [
  x && 'optional' in x ? x.optional : x,
])

export const sequenceMap = onSequences('SequenceMap', ({ attributes: { body }, inputTypes, inferBody }) =>
  inferBody(
    body,
    inputTypes.map(type => (type && 'sequence' in type ? type.sequence : type)),
  ).map(type => sequenceOf(plain(type))),
)

/** A type without contents, which differ from one sample to the next. */
function plain(type: ValueType | undefined): ValueType | undefined {
  return isTensorType(type) ? { dtype: type.dtype, shape: type.shape } : type
}
