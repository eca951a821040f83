import { fromNumbers } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as math from './math.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const shape = [2, 4]

for (const record of [math.exp, math.erf, math.sin, math.cos, math.atan, math.sinh, math.cosh, math.asinh]) {
  conform(record, [{ inputs: [{ shape }] }, { name: 'far out', inputs: [{ shape, low: -4, high: 4 }] }], bench)
}
for (const record of [math.log, math.sqrt, math.reciprocal]) {
  conform(record, [{ inputs: [{ shape, low: 0.5, high: 3 }] }], bench)
}
for (const record of [math.tan, math.asin, math.acos, math.atanh]) {
  conform(record, [{ inputs: [{ shape, low: -0.8, high: 0.8 }] }], bench)
}
conform(math.acosh, [{ inputs: [{ shape, low: 1.5, high: 3 }] }], bench)

const halves = fromNumbers('float32', [6], [-2.5, -1.5, -0.5, 0.5, 1.5, 2.3])
for (const record of [math.floor, math.ceil, math.round]) {
  conform(record, [{ inputs: [{ shape }] }, { name: 'halves', inputs: [halves] }], bench)
}

const special = fromNumbers('float32', [4], [1, Number.NaN, Infinity, -Infinity])
conform(math.isNan, [{ inputs: [special] }], bench)
conform(
  math.isInf,
  [
    { inputs: [special] },
    { attributes: { detect_negative: 0 }, inputs: [special] },
    { attributes: { detect_positive: 0 }, inputs: [special] },
  ],
  bench,
)
