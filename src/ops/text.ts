import type { Tensor } from '../base/tensor.ts'
import { broadcast, broadcastType, elementwiseLinks } from './broadcast.ts'
import { broadcastSources } from './elements.ts'
import { free, no, operator } from './operator.ts'

// Operators on strings.

const ofStrings = no('strings have no gradient')
const byText = no('how many there are depends on the texts')
const leftToRuntime = no('left to the runtime')

export const stringConcat = operator('StringConcat', {
  infer: ({ inputs }) => [broadcastType(inputs)],
  gradient: ofStrings,
  coupling: elementwiseLinks,
  cost: free,
  evaluate(_, inputs) {
    const [x, y] = inputs as readonly Tensor<'string'>[]
    const shape = broadcast([x!.shape, y!.shape]) as readonly number[]
    const [left, right] = [x!, y!].map(t => broadcastSources(shape, t.shape))
    const data = Array.from(left!, (from, i) => x!.data[from]! + y!.data[right![i]!]!)
    return [{ dtype: 'string', shape, data }]
  },
})

export const stringNormalizer = operator('StringNormalizer', {
  infer({ attributes: { stopwords = [] }, inputs: [x] }) {
    const { shape } = x!
    // Without stop words all elements stay; an empty tensor becomes one empty text.
    const keeps = stopwords.length === 0 && typeof shape?.at(-1) === 'number' && shape.at(-1) !== 0
    return [{ dtype: 'string', shape: keeps ? shape : shape?.map((_, axis) => (axis === shape.length - 1 ? '' : 1)) }]
  },
  gradient: ofStrings,
  coupling: byText,
  cost: free,
  evaluate: leftToRuntime,
})

export const stringSplit = operator('StringSplit', {
  infer: ({ inputs: [x] }) => [
    { dtype: 'string', shape: x!.shape && [...x!.shape, ''] },
    { dtype: 'int64', shape: x!.shape },
  ],
  gradient: ofStrings,
  coupling: byText,
  cost: free,
  evaluate: leftToRuntime,
})

export const regexFullMatch = operator('RegexFullMatch', {
  infer: ({ inputs: [x] }) => [{ dtype: 'bool', shape: x!.shape }],
  gradient: ofStrings,
  coupling: elementwiseLinks,
  cost: free,
  evaluate: leftToRuntime,
})

export const tfIdfVectorizer = operator('TfIdfVectorizer', {
  infer({ attributes: { ngram_indexes: places }, inputs: [x] }) {
    const size = places.reduce((most, place) => Math.max(most, place), -1) + 1
    return [{ dtype: 'float32', shape: x!.shape && [...x!.shape.slice(0, -1), size] }]
  },
  gradient: no('it counts words'),
  coupling: byText,
  cost: free,
  evaluate: leftToRuntime,
})
