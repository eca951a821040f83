import { describe, expect, test } from 'vitest'
import { random } from '../../base/random.ts'
import { float32s, fromNumbers, int64s, tensor } from '../../base/tensor.ts'
import { node } from '../../graph/edit.ts'
import { emptyGraph, type Graph } from '../../graph/graph.ts'
import { check } from '../../read/check.ts'
import { eachPair } from '../../read/index-map.ts'
import { infer } from '../../read/infer.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { toAttributes } from '../spec.ts'
import { conform } from '../testing/conform.ts'
import * as encoders from './encoders.ts'
import * as features from './features.ts'
import * as models from './models.ts'
import * as trees from './trees.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [3, 4] }
const row = { shape: [4] }
const texts = tensor('string', [2, 3], ['cat', 'dog', 'cow', 'cat', '', 'dog'])
const wholes = fromNumbers('int64', [2, 3], [1, 2, 7, 2, 1, 0])
const draws = (count: number, seed = 1) => Array.from({ length: count }, random(seed).normal).map(Math.fround)

conform(
  encoders.labelEncoder,
  [
    { name: 'texts to places', version: 1, attributes: { classes_strings: ['cat', 'dog'] }, inputs: [texts] },
    { name: 'places to texts', version: 1, attributes: { classes_strings: ['cat', 'dog', 'cow'] }, inputs: [wholes] },
    {
      name: 'texts to integers',
      version: 2,
      attributes: { keys_strings: ['cat', 'dog'], values_int64s: [4, 5], default_int64: 9 },
      inputs: [texts],
    },
    {
      name: 'integers to texts',
      version: 2,
      attributes: { keys_int64s: [1, 2, 7], values_strings: ['a', 'b', 'c'] },
      inputs: [wholes],
    },
    {
      name: 'floats to floats',
      version: 2,
      attributes: { keys_floats: [1, -0.5], values_floats: [2.5, 3.5], default_float: -1.5 },
      inputs: [float32s([3], [-0.5, 1, 4])],
    },
    {
      name: 'tensors',
      version: 4,
      attributes: {
        keys_tensor: tensor('string', [2], ['cat', 'dog']),
        values_tensor: fromNumbers('int16', [2], [3, 4]),
        default_tensor: fromNumbers('int16', [1], [7]),
      },
      inputs: [texts],
    },
  ],
  bench,
)
conform(
  encoders.categoryMapper,
  [
    { name: 'texts', attributes: { cats_strings: ['cat', 'dog'], cats_int64s: [1, 2] }, inputs: [texts] },
    { name: 'integers', attributes: { cats_strings: ['cat', 'dog'], cats_int64s: [1, 2] }, inputs: [wholes] },
  ],
  bench,
)
conform(
  encoders.oneHotEncoder,
  [
    { name: 'texts', attributes: { cats_strings: ['cat', 'dog'] }, inputs: [texts] },
    { name: 'integers', attributes: { cats_int64s: [1, 2, 7] }, inputs: [wholes] },
    { name: 'floats', attributes: { cats_int64s: [1, 2, 7] }, inputs: [float32s([3], [1, 7, 2])] },
  ],
  bench,
)
conform(
  features.arrayFeatureExtractor,
  [
    { name: 'of rows', inputs: [x, int64s([2, 0])] },
    { name: 'of a vector', inputs: [row, int64s([1, 2, 2])] },
    { name: 'by a matrix', inputs: [x, fromNumbers('int64', [1, 2], [3, 3])] },
    { name: 'of classes', inputs: [tensor('string', [3], ['a', 'b', 'c']), int64s([2, 1])] },
  ],
  bench,
)
conform(features.binarizer, [{ attributes: { threshold: 0.5 }, inputs: [x] }], bench)
conform(
  features.featureVectorizer,
  [
    { name: 'matrices', attributes: { inputdimensions: [4, 2] }, inputs: [x, { shape: [3, 2] }] },
    {
      name: 'of integers',
      attributes: { inputdimensions: [4] },
      inputs: [{ shape: [3, 4], dtype: 'int64', low: 0, high: 9 }],
    },
  ],
  bench,
)
conform(
  features.imputer,
  [
    {
      name: 'floats',
      attributes: { imputed_value_floats: [1, 2, 3, 4], replaced_value_float: Number.NaN },
      inputs: [float32s([1, 4], [Number.NaN, 1, 5, Number.NaN])],
    },
    {
      name: 'integers',
      attributes: { imputed_value_int64s: [8], replaced_value_int64: 1 },
      inputs: [wholes],
    },
  ],
  bench,
)
conform(
  features.normalizer,
  ['MAX', 'L1', 'L2'].map(norm => ({ attributes: { norm }, inputs: [x] })),
  bench,
)
conform(
  features.scaler,
  [
    { name: 'by column', attributes: { offset: [1, 2, 3, 4], scale: [2, 0.5, 3, 1.5] }, inputs: [x] },
    { name: 'by one number', attributes: { offset: [0.5], scale: [2] }, inputs: [x] },
    { name: 'of a vector', attributes: { offset: [1, 2, 3, 4], scale: [2, 0.5, 3, 1.5] }, inputs: [row] },
    { name: 'of integers', attributes: { offset: [3], scale: [0.1] }, inputs: [wholes] },
  ],
  bench,
)
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

/** One split for each tree: feature 0 against 0.5, as each version writes it. */
const split = (ids: string, leaves: number) => ({
  nodes_treeids: [0, 0, 0],
  nodes_nodeids: [0, 1, 2],
  nodes_featureids: [0, 0, 0],
  nodes_modes: ['BRANCH_LEQ', 'LEAF', 'LEAF'],
  nodes_values: [0.5, 0, 0],
  nodes_truenodeids: [1, 0, 0],
  nodes_falsenodeids: [2, 0, 0],
  [`${ids}_treeids`]: [0, 0],
  [`${ids}_nodeids`]: [1, 2],
  [ids === 'class' ? 'class_ids' : 'target_ids']: [0, leaves - 1],
  [`${ids}_weights`]: [0.75, 0.5],
})
conform(
  trees.treeEnsembleClassifier,
  [
    { name: 'integers', attributes: { ...split('class', 3), classlabels_int64s: [1, 2, 3] }, inputs: [x], outputs: 2 },
    {
      name: 'two texts',
      version: 3,
      attributes: { ...split('class', 2), classlabels_strings: ['a', 'b'] },
      inputs: [x],
      outputs: 2,
    },
    {
      name: 'two classes by one score',
      attributes: { ...split('class', 1), classlabels_int64s: [0, 1], post_transform: 'LOGISTIC' },
      inputs: [x],
      outputs: 2,
    },
    {
      name: 'a row of 64 bits',
      version: 3,
      attributes: { ...split('class', 3), classlabels_int64s: [1, 2, 3] },
      inputs: [{ shape: [1, 4], dtype: 'float64' }],
      outputs: 2,
    },
  ],
  bench,
)
conform(
  trees.treeEnsembleRegressor,
  [
    { name: 'one target', attributes: { ...split('target', 1), n_targets: 1 }, inputs: [x] },
    { name: 'two targets', version: 3, attributes: { ...split('target', 2), n_targets: 2 }, inputs: [x] },
  ],
  bench,
)
conform(
  trees.treeEnsemble,
  ['float32', 'float64'].map(dtype => ({
    name: dtype,
    version: 5,
    attributes: {
      n_targets: 2,
      tree_roots: [0],
      nodes_modes: fromNumbers('uint8', [1], [0]),
      nodes_featureids: [0],
      nodes_splits: fromNumbers(dtype as 'float32', [1], [0.5]),
      nodes_truenodeids: [0],
      nodes_trueleafs: [1],
      nodes_falsenodeids: [1],
      nodes_falseleafs: [1],
      leaf_targetids: [0, 1],
      leaf_weights: fromNumbers(dtype as 'float32', [2], [1, 2]),
    },
    inputs: [{ shape: [3, 4], dtype: dtype as 'float32' }],
  })),
  bench,
)

describe('maps', () => {
  const key = (dtype: 'int64' | 'string', value: 'float32' | 'string' | 'float64') =>
    ({ key: dtype, value: { dtype: value, shape: [] } }) as const
  const graph = (op: string, type: Graph['inputs'][number]['type'], attributes: Record<string, unknown>): Graph => ({
    ...emptyGraph('maps'),
    opset: { '': 21, 'ai.onnx.ml': 1 },
    inputs: [{ name: 'x', type }],
    outputs: [{ name: 'y', type: undefined }],
    nodes: [
      node({
        op,
        domain: 'ai.onnx.ml',
        inputs: ['x'],
        outputs: ['y'],
        attributes: toAttributes(`ai.onnx.ml.${op}` as 'ai.onnx.ml.ZipMap', attributes),
      }),
    ],
  })
  const typeOf = (one: Graph) => {
    expect(check(one)).toEqual([])
    return infer(one).get('y')
  }

  test('ZipMap gives a map for each row, by texts or by integers', () => {
    const scores = { dtype: 'float32', shape: ['N', 2] } as const
    expect(typeOf(graph('ZipMap', scores, { classlabels_strings: ['a', 'b'] }))).toEqual({
      sequence: key('string', 'float32'),
    })
    expect(typeOf(graph('ZipMap', scores, { classlabels_int64s: [0, 1] }))).toEqual({
      sequence: key('int64', 'float32'),
    })
  })

  test('CastMap gives as many columns as its sparse form says', () => {
    const sparse = { map_form: 'SPARSE', max_map: 7, cast_to: 'TO_INT64' }
    expect(typeOf(graph('CastMap', key('int64', 'float32'), sparse))).toEqual({ dtype: 'int64', shape: [1, 7] })
    expect(typeOf(graph('CastMap', key('int64', 'string'), { cast_to: 'TO_STRING' }))).toEqual({
      dtype: 'string',
      shape: [1, ''],
    })
  })

  test('DictVectorizer gives a column for each word, of the type that the map holds', () => {
    const words = { string_vocabulary: ['a', 'b', 'c'] }
    expect(typeOf(graph('DictVectorizer', key('string', 'float64'), words))).toEqual({
      dtype: 'float64',
      shape: [1, 3],
    })
  })
})
