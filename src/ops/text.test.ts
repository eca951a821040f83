import { tensor } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { conform } from './testing/conform.ts'
import * as text from './text.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const words = (shape: readonly number[], ...of: string[]) => tensor('string', shape, of)
const byText = { infer: 'how many there are depends on the texts' }
const days = words([4], 'monday', 'tuesday', 'Monday', 'sunday')

conform(
  text.stringConcat,
  [{ inputs: [days, words([4], 'a', 'b', '', 'd')] }, { inputs: [words([2, 1], 'x', 'y'), words([], '!')] }],
  bench,
)
conform(
  text.stringNormalizer,
  [
    { attributes: { case_change_action: 'UPPER', locale: 'C' }, inputs: [days] },
    { attributes: { stopwords: ['monday'], locale: 'C' }, inputs: [days], skip: byText },
    {
      attributes: { stopwords: ['monday'], is_case_sensitive: 1, locale: 'C' },
      inputs: [{ ...days, shape: [1, 4] }],
      skip: byText,
    },
    {
      name: 'of nothing but stop words',
      attributes: { stopwords: ['a'], locale: 'C' },
      inputs: [words([1], 'a')],
      skip: byText,
    },
  ],
  bench,
)
conform(text.stringSplit, [{ inputs: [words([2], 'a b', ' c  d e ')], outputs: 2, skip: byText }], bench)
conform(text.regexFullMatch, [{ attributes: { pattern: '[a-z]+' }, inputs: [days] }], bench)
const grams = {
  mode: 'TF',
  min_gram_length: 2,
  max_gram_length: 2,
  max_skip_count: 1,
  ngram_counts: [0, 4],
  ngram_indexes: [0, 1, 4, 2, 3, 5, 6],
  pool_int64s: [2, 3, 5, 4, 5, 6, 7, 8, 6, 7],
}
const numbered = (shape: readonly number[]) => ({ shape, dtype: 'int64' as const, low: 0, high: 9 })
conform(
  text.tfIdfVectorizer,
  [
    { attributes: grams, inputs: [numbered([12])] },
    { name: 'of rows', attributes: grams, inputs: [numbered([3, 6])] },
  ],
  bench,
)
