import type { DType } from '../../base/dtype.ts'
import { fromNumbers, type Tensor } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import { elementwiseLinks } from '../broadcast.ts'
import { type Call, free, type Link, no, operator } from '../operator.ts'
import { type Entry, elementsIn, entriesOf, tensorFrom } from './lookup.ts'

const looksUp = no('it looks elements up in a table, which has no slope')

interface Table {
  readonly entries: ReadonlyMap<Entry, Entry>
  readonly otherwise: Entry
  readonly dtype: DType
}

/** What a table does to each element of a tensor. */
function looked(x: Tensor, { entries, otherwise, dtype }: Table): Tensor {
  const found = elementsIn(x).map(element => entries.get(element) ?? otherwise)
  return tensorFrom(dtype, x.shape, found)
}

function tableFrom(keys: readonly Entry[], values: readonly Entry[], otherwise: Entry, dtype: DType): Table {
  // Of equal keys the first counts.
  const entries = new Map<Entry, Entry>()
  keys.forEach((key, i) => {
    if (!entries.has(key)) entries.set(key, values[i]!)
  })
  return { entries, otherwise, dtype }
}

/** What an attribute of one value says: texts and numbers as they are, integers as bigints. */
function single(node: Node, name: string, standard: Entry): Entry {
  const attribute = node.attributes[name]
  if (attribute?.type === 'int') return BigInt(attribute.value)
  return attribute?.type === 'float' || attribute?.type === 'string' ? attribute.value : standard
}

/** Before version 2 a list of texts stood for their places in it, and the other way round. */
const isOlder = ({ opset }: Pick<Call, 'opset'>) => opset < 2

function labelTable({ node, opset }: Pick<Call, 'node' | 'opset'>, from: DType): Table {
  if (isOlder({ opset })) {
    const attribute = node.attributes.classes_strings
    const texts = attribute?.type === 'strings' ? attribute.value : []
    return placesOf(
      node,
      texts,
      texts.map((_, place) => BigInt(place)),
      from,
    )
  }
  const [keys, values] = [entriesOf(node, 'keys'), entriesOf(node, 'values')]
  // What is not a number equals nothing, or itself, as the runtime's version has it.
  if (keys?.list.some(Number.isNaN)) throw new Error('a key that is not a number')
  if (!keys || !values || keys.list.length !== values.list.length)
    throw new Error('its table has no sides of one length')
  return tableFrom(keys.list, values.list, defaultOf(node, values.dtype), values.dtype)
}

function defaultOf(node: Node, dtype: DType): Entry {
  const stated = node.attributes.default_tensor
  if (stated?.type === 'tensor') return elementsIn(stated.value)[0]!
  if (dtype === 'string') return single(node, 'default_string', '_Unused')
  return dtype.startsWith('float') ? single(node, 'default_float', -0) : single(node, 'default_int64', -1n)
}

/** Texts to numbers, or back where x has numbers. */
function placesOf(node: Node, texts: readonly string[], numbers: readonly bigint[], from: DType): Table {
  return from === 'string'
    ? tableFrom(texts, numbers, single(node, 'default_int64', -1n), 'int64')
    : tableFrom(numbers, texts, single(node, 'default_string', '_Unused'), 'string')
}

export const labelEncoder = operator('ai.onnx.ml.LabelEncoder', {
  infer: call => {
    const [x] = call.inputs
    const turned = x!.dtype === 'string' ? 'int64' : 'string'
    const dtype = isOlder(call) ? turned : entriesOf(call.node, 'values')?.dtype
    return [dtype && { dtype, shape: x!.shape }]
  },
  gradient: looksUp,
  coupling: elementwiseLinks,
  cost: free,
  evaluate: (call, [x]) => [looked(x!, labelTable(call, x!.dtype))],
})

export const categoryMapper = operator('ai.onnx.ml.CategoryMapper', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype === 'string' ? 'int64' : 'string', shape: x!.shape }],
  gradient: looksUp,
  coupling: elementwiseLinks,
  cost: free,
  evaluate: ({ node, attributes: { cats_strings: texts = [] } }, [x]) => {
    const numbers = entriesOf({ ...node, attributes: { cats_int64s: node.attributes.cats_int64s! } }, 'cats')
    return [looked(x!, placesOf(node, texts, (numbers?.list ?? []) as readonly bigint[], x!.dtype))]
  },
})

export const oneHotEncoder = operator('ai.onnx.ml.OneHotEncoder', {
  infer: ({ attributes: { cats_int64s = [], cats_strings = [] }, inputs: [x] }) => [
    { dtype: 'float32', shape: x!.shape && [...x!.shape, cats_int64s.length || cats_strings.length] },
  ],
  gradient: looksUp,
  coupling: ({ inputs: [x] }) =>
    (x?.shape ?? []).map((_, axis): Link => ({ from: ['in', 0, axis], to: ['out', 0, axis], map: 'same' })),
  cost: free,
  evaluate({ node, attributes: { zeros } }, [x]) {
    const { list } = entriesOf(node, 'cats')!
    const places = new Map(list.map((category, place) => [category, place]))
    const ones = new Float32Array(elementsIn(x!).length * list.length)
    elementsIn(x!).forEach((element, i) => {
      const place = places.get(typeof element === 'number' ? BigInt(Math.trunc(element)) : element)
      if (place !== undefined) ones[i * list.length + place] = 1
      else if (!zeros) throw new Error(`${element} is none of its categories`)
    })
    return [fromNumbers('float32', [...x!.shape, list.length], ones)]
  },
})
