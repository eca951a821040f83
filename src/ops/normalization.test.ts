import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { groupNormalization, instanceNormalization, layerNormalization, rmsNormalization } from './normalization.ts'
import { conform } from './testing/conform.ts'
import type { Sample } from './testing/sample.ts'

const bench = { backend: onnxruntimeNode, eachPair }

function sample(
  attributes: Sample['attributes'],
  shapes: readonly (readonly number[])[],
  more: Partial<Sample> = {},
): Sample {
  const name = `${shapes.map(shape => `[${shape}]`).join(' ')} ${JSON.stringify(attributes)} ${more.outputs ?? ''}`
  return { name, attributes: attributes ?? {}, inputs: shapes.map(shape => ({ shape })), ...more }
}

conform(
  layerNormalization,
  [
    sample({}, [[4, 6], [6], [6]]),
    sample({}, [[2, 3, 4], [4]]),
    sample({ axis: 1 }, [
      [2, 3, 4],
      [3, 4],
      [3, 4],
    ]),
    sample({ axis: -2, epsilon: 0.01 }, [[2, 3, 4], [4], [1]]),
    sample({}, [[4, 6], [6], [6]], { outputs: 3 }),
    sample(
      { axis: 1 },
      [
        [2, 3, 4],
        [3, 4],
      ],
      { outputs: 3 },
    ),
  ],
  bench,
)
conform(
  rmsNormalization,
  [
    sample({}, [[4, 6], [6]], { opset: 23 }),
    sample(
      { axis: 1, epsilon: 0.1 },
      [
        [2, 3, 4],
        [3, 4],
      ],
      { opset: 23 },
    ),
  ],
  bench,
)
conform(
  instanceNormalization,
  [sample({}, [[2, 3, 4, 2], [3], [3]]), sample({ epsilon: 0.1 }, [[2, 3, 5], [3], [3]])],
  bench,
)
// In float64 throughout, so that differences are exact.
const stash_type = 11
conform(
  groupNormalization,
  [
    sample({ num_groups: 3, stash_type }, [[2, 6, 3, 2], [6], [6]]),
    sample({ num_groups: 1, epsilon: 0.1, stash_type }, [[2, 4, 5], [4], [4]]),
    sample({ num_groups: 3 }, [[2, 6, 3, 2], [3], [3]], { opset: 18 }),
  ],
  bench,
)
