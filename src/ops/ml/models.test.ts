import { random } from '../../base/random.ts'
import { eachPair } from '../../read/index-map.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { conform } from '../testing/conform.ts'
import * as models from './models.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [3, 4] }
const row = { shape: [4] }
const draws = (count: number, seed = 1) => Array.from({ length: count }, random(seed).normal).map(Math.fround)

conform(
  models.linearClassifier,
  [
    {
      name: 'three classes',
      attributes: { coefficients: draws(12), intercepts: draws(3), classlabels_ints: [4, 5, 6] },
      inputs: [x],
      outputs: 2,
    },
    {
      name: 'two classes, one row of coefficients',
      attributes: {
        coefficients: draws(4),
        intercepts: [0.1],
        classlabels_strings: ['a', 'b'],
        post_transform: 'LOGISTIC',
      },
      inputs: [x],
      outputs: 2,
    },
    {
      name: 'a vector',
      attributes: { coefficients: draws(12), intercepts: draws(3), classlabels_ints: [4, 5, 6] },
      inputs: [row],
      outputs: 2,
    },
  ],
  bench,
)
conform(
  models.linearRegressor,
  [
    { name: 'one target', attributes: { coefficients: draws(4), intercepts: [0.5] }, inputs: [x] },
    { name: 'two targets', attributes: { coefficients: draws(8), intercepts: [1, 2], targets: 2 }, inputs: [x] },
    { name: 'a vector', attributes: { coefficients: draws(4), intercepts: [0.5] }, inputs: [row] },
  ],
  bench,
)

const machine = (classes: number, probabilities: boolean) => {
  const pairs = (classes * (classes - 1)) / 2
  return {
    vectors_per_class: new Array(classes).fill(2),
    support_vectors: draws(classes * 2 * 4),
    coefficients: draws(classes * 2 * (classes - 1), 2),
    rho: draws(pairs, 3),
    kernel_type: 'RBF',
    kernel_params: [0.5, 0, 3],
    classlabels_ints: Array.from({ length: classes }, (_, i) => i + 1),
    ...(probabilities && { prob_a: draws(pairs, 4), prob_b: draws(pairs, 5) }),
  }
}
conform(
  models.svmClassifier,
  [
    ...[2, 3, 4].flatMap(classes =>
      [false, true].map(probabilities => ({
        name: `${classes} classes${probabilities ? ' with probabilities' : ''}`,
        attributes: machine(classes, probabilities),
        inputs: [x],
        outputs: 2,
      })),
    ),
    {
      name: 'a linear one',
      attributes: { coefficients: draws(12), rho: [0.1], kernel_params: [0, 0, 0], classlabels_ints: [0, 1, 2] },
      inputs: [x],
      outputs: 2,
    },
  ],
  bench,
)
conform(
  models.svmRegressor,
  [
    {
      name: 'with support vectors',
      attributes: {
        support_vectors: draws(12),
        coefficients: draws(3),
        n_supports: 3,
        rho: [0.1],
        kernel_type: 'RBF',
        kernel_params: [0.5, 0, 3],
      },
      inputs: [x],
    },
    { name: 'linear', attributes: { coefficients: draws(4), rho: [0.1], kernel_params: [0, 0, 0] }, inputs: [x] },
  ],
  bench,
)
