import { fromNumbers } from '../../base/tensor.ts'
import { eachPair } from '../../read/index-map.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { conform } from '../testing/conform.ts'
import * as trees from './trees.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [3, 4] }

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
