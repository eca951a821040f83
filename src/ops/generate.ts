import { addDims, type Dim, elementCount, isFixed, productOf, type Shape, subtractDims } from '../base/shape.ts'
import { fromNumbers, int64s, numbers, type Tensor, tensor, zeros } from '../base/tensor.ts'
import type { Node } from '../graph/graph.ts'
import { contentsOf, lengthOf, unknownShape } from './axes.ts'
import { typeNumbered } from './cast.ts'
import { mostFollowed, typeOfConstant, withContents } from './contents.ts'
import { eachPosition, elementsOf, take, tensorOf } from './elements.ts'
import { type Call, free, type Link, no, operator, type TypedCall } from './operator.ts'

// Operators that make tensors of no tensor, or of nothing but a tensor's shape.

const readsShape = no('it reads a shape, not elements')
const none = (): readonly Link[] => []

/** Nothing is wrong if elements leave whose number alone is read. */
const allAxes = ({ inputs: [x] }: Pick<TypedCall, 'inputs'>): readonly Link[] =>
  (x?.shape ?? []).map((_, axis) => ({ from: ['in', 0, axis], to: ['in', 0, axis], map: 'same' }))

export const constant = operator('Constant', {
  infer({ node, attributes: { sparse_value: sparse } }) {
    const value = constantOf(node)
    if (value) return [typeOfConstant(value)]
    return [sparse && { dtype: sparse.values.dtype, shape: sparse.shape }]
  },
  gradient: no('a constant depends on nothing'),
  coupling: none,
  cost: free,
  evaluate({ node }) {
    const value = constantOf(node)
    if (!value) throw new Error('a sparse constant')
    return [value]
  },
})

const madeByNodes = new WeakMap<Node, Tensor | undefined>()

/** The tensor that a Constant node makes, the same object each time; undefined for a sparse one, and for other nodes. */
export function constantOf(node: Node | undefined): Tensor | undefined {
  if (node?.op !== 'Constant' || node.domain !== '') return undefined
  if (!madeByNodes.has(node)) madeByNodes.set(node, statedBy(node))
  return madeByNodes.get(node)
}

function statedBy(node: Node): Tensor | undefined {
  for (const [name, { type, value }] of Object.entries(node.attributes)) {
    if (type === 'tensor') return value
    if (type === 'float') return fromNumbers('float32', [], [value])
    if (type === 'floats') return fromNumbers('float32', [value.length], value)
    if (type === 'int') return tensor('int64', [], BigInt64Array.of(BigInt(value)))
    if (type === 'ints') return tensor('int64', [value.length], BigInt64Array.from(value, BigInt))
    if (type === 'string' && name === 'value_string') return tensor('string', [], [value])
    if (type === 'strings') return tensor('string', [value.length], value)
  }
  return undefined
}

export const shape = operator('Shape', {
  infer({ attributes: { start, end }, inputs: [x] }) {
    const sizes = x!.shape?.slice(start, end)
    return [sizes ? withContents({ dtype: 'int64', shape: [sizes.length] }, sizes) : { dtype: 'int64', shape: [''] }]
  },
  gradient: readsShape,
  coupling: allAxes,
  cost: free,
  evaluate: ({ attributes: { start, end } }, [x]) => [int64s(x!.shape.slice(start, end))],
})

export const size = operator('Size', {
  infer: ({ inputs: [x] }) => [withContents({ dtype: 'int64', shape: [] }, x!.shape && [productOf(x!.shape)])],
  gradient: readsShape,
  coupling: allAxes,
  cost: free,
  evaluate: (_, [x]) => [fromNumbers('int64', [], [elementCount(x!.shape)])],
})

export const constantOfShape = operator('ConstantOfShape', {
  infer(call) {
    const fill = fillOf(call)
    const sizes = contentsOf(call, 0) ?? shapeOfLength(lengthOf(call.inputs[0]))
    if (sizes?.some(dim => typeof dim === 'number' && !(Number.isSafeInteger(dim) && dim >= 0)))
      throw new Error(`[${sizes}] is no shape`)
    const single = typeOfConstant(fill).value
    const few = isFixed(sizes) && elementCount(sizes) <= mostFollowed
    const value = single && few ? new Array<Dim>(elementCount(sizes)).fill(single[0]!) : undefined
    return [withContents({ dtype: fill.dtype, shape: sizes }, value)]
  },
  gradient: readsShape,
  coupling: none,
  cost: free,
  evaluate(call, [sizes]) {
    const made = Array.from(numbers(sizes!))
    const filled = zeros(fillOf(call).dtype, made)
    const [value] = fillOf(call).data
    // Memory starts out as zeros: only other numbers cost a walk.
    if (value !== 0 && value !== 0n) (filled.data as unknown as Float32Array).fill(value as number)
    return [filled]
  },
})

function fillOf(call: Call<'ConstantOfShape'>): Tensor {
  return call.attributes.value ?? zeros('float32', [1])
}

function shapeOfLength(rank: number | undefined): Shape | undefined {
  return rank === undefined ? undefined : unknownShape(rank)
}

export const range = operator('Range', {
  infer(call) {
    const { dtype } = call.inputs[0]!
    const [start, limit, delta] = [0, 1, 2].map(i => contentsOf(call, i)?.[0] ?? '')
    const count = countOf(start!, limit!, delta!)
    const follows = start !== '' && typeof delta === 'number' && typeof count === 'number' && count <= mostFollowed
    const value = follows ? Array.from({ length: count }, (_, i) => addDims(start!, i * delta)) : undefined
    return [withContents({ dtype, shape: [count] }, value)]
  },
  gradient: no('how many numbers it makes depends on its inputs'),
  coupling: none,
  cost: free,
  evaluate(_, inputs) {
    const [start, limit, delta] = inputs.map(t => numbers(t!)[0]!)
    const count = Number(countOf(start!, limit!, delta!))
    return [
      fromNumbers(
        inputs[0]!.dtype,
        [count],
        Array.from({ length: count }, (_, i) => start! + i * delta!),
      ),
    ]
  },
})

/** max(ceil((limit - start) / delta), 0) */
function countOf(start: Dim, limit: Dim, delta: Dim): Dim {
  if (typeof start === 'number' && typeof limit === 'number' && typeof delta === 'number') {
    return Math.max(0, Math.ceil((limit - start) / delta))
  }
  if (delta !== 1) return ''
  const count = subtractDims(limit, start)
  return typeof count === 'number' ? Math.max(0, count) : count
}

export const eyeLike = operator('EyeLike', {
  infer: ({ attributes, inputs: [x] }) => [
    { dtype: attributes.dtype === undefined ? x!.dtype : typeNumbered(attributes.dtype), shape: x!.shape },
  ],
  gradient: readsShape,
  coupling: none,
  cost: free,
  evaluate({ attributes }, [x]) {
    const ones: number[] = []
    eachPosition(x!.shape, ([row = 0, column = 0]) => ones.push(column - row === attributes.k ? 1 : 0))
    return [tensorOf(attributes.dtype === undefined ? x!.dtype : typeNumbered(attributes.dtype), x!.shape, ones)]
  },
})

export const oneHot = operator('OneHot', {
  infer(call) {
    const [indices, , values] = call.inputs
    const [depth = ''] = contentsOf(call, 1) ?? []
    if (!indices!.shape) return [{ dtype: values!.dtype, shape: undefined }]
    const at = newAxis(call.attributes.axis, indices!.shape.length)
    return [{ dtype: values!.dtype, shape: indices!.shape.toSpliced(at, 0, depth) }]
  },
  gradient({ op, attributes: { axis }, x: [indices, depth, values], dy: [dy] }) {
    const { dtype } = op.type(values!)
    const ones = op.constant(fromNumbers(dtype, [2], [0, 1]), 'off-on')
    const on = op.ReduceSum([op.Mul([dy, op.OneHot([indices, depth, ones], { axis })])], { keepdims: 0 })
    const off = op.Sub([op.ReduceSum([dy], { keepdims: 0 }), on])
    return [null, null, op.Concat([op.Reshape([off, op.ints([1])]), op.Reshape([on, op.ints([1])])], { axis: 0 })]
  },
  coupling: none,
  cost: free,
  evaluate({ attributes: { axis } }, [indices, depth, values]) {
    const classes = numbers(depth!)[0]!
    const at = newAxis(axis, indices!.shape.length)
    const made = indices!.shape.toSpliced(at, 0, classes)
    const picked = numbers(indices!)
    const inner = elementCount(indices!.shape.slice(at))
    const sources = Array.from({ length: elementCount(made) }, (_, flat) => {
      const k = Math.floor(flat / inner) % classes
      const index = picked[Math.floor(flat / inner / classes) * inner + (flat % inner)]!
      return (index < 0 ? index + classes : index) === k ? 1 : 0
    })
    return [take(values!, made, sources)]
  },
})

function newAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank + 1 : axis
}

export const nonZero = operator('NonZero', {
  infer: ({ inputs: [x] }) => [{ dtype: 'int64', shape: [x!.shape?.length ?? '', ''] }],
  gradient: no('it gives the places of elements, which change in steps'),
  coupling: none,
  cost: free,
  evaluate(_, [x]) {
    const elements = elementsOf(x!)
    const places: (readonly number[])[] = []
    eachPosition(x!.shape, (position, flat) => {
      if (elements[flat] !== 0 && elements[flat] !== 0n) places.push([...position])
    })
    const rows = x!.shape.map((_, axis) => places.map(place => place[axis]!))
    return [fromNumbers('int64', [rows.length, places.length], rows.flat())]
  },
})

export const trilu = operator('Trilu', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: ({ op, attributes: { upper }, x: [, k], dy: [dy] }) => [op.Trilu([dy, k], { upper }), null],
  coupling: ({ inputs: [x] }) =>
    x!.shape!.slice(0, -2).map((_, axis) => ({ from: ['in', 0, axis], to: ['out', 0, axis], map: 'same' })),
  cost: free,
  evaluate({ attributes: { upper } }, [x, k]) {
    const diagonal = k ? numbers(k)[0]! : 0
    const index: number[] = []
    eachPosition(x!.shape, (position, flat) => {
      const [row, column] = [position.at(-2)!, position.at(-1)!]
      index.push((upper ? column - row >= diagonal : column - row <= diagonal) ? flat : -1)
    })
    return [take(x!, x!.shape, index)]
  },
})
