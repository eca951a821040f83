import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as random from './random.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const skip = { coupling: 'other numbers are drawn' }
const shape = [2, 3]

for (const record of [random.randomNormal, random.randomUniform]) {
  conform(record, [{ attributes: { shape }, inputs: [] }], bench)
}
for (const record of [random.randomNormalLike, random.randomUniformLike]) {
  conform(
    record,
    [
      { inputs: [{ shape }], skip },
      { attributes: { dtype: 11 }, inputs: [{ shape }], skip },
    ],
    bench,
  )
}
conform(random.bernoulli, [{ inputs: [{ shape, low: 0, high: 1 }], skip }], bench)
conform(random.multinomial, [{ attributes: { sample_size: 4 }, inputs: [{ shape }], skip }], bench)
