/** What Sinter is, without files and without an engine: graphs in, graphs out. `node.ts` adds those. */
export type { DType } from './base/dtype.ts'
export { SinterError, type SinterErrorCode } from './base/errors.ts'
export { type Random, random } from './base/random.ts'
export type { Dim, Shape, TensorType, ValueType } from './base/shape.ts'
export { float32s, int64s, type Tensor, tensor } from './base/tensor.ts'
export {
  blocks,
  dropBlock,
  insideBlocks,
  l1Norm,
  l2Norm,
  plan,
  prune,
  replaceHead,
  swapActivations,
  swapConvs,
} from './compact/index.ts'
export {
  type Batch,
  type Dataset,
  imageDataset,
  labelsOf,
  randomFlip,
  randomShift,
  splitDataset,
  subset,
  tensorDataset,
} from './data/index.ts'
export {
  bootstrapDifference,
  classificationReport,
  compareLatency,
  compareOutputs,
  fitTemperature,
  latency,
  type Metric,
  type MetricName,
  mcnemar,
  metricNamed,
  metrics,
  type Predictions,
  predict,
  predictions,
  randomFeeds,
  throughput,
  wilson,
} from './evaluate/index.ts'
export * from './fuse/index.ts'
export { adamW, crossEntropy, meanSquaredError, sgd, trainStep } from './gradient/index.ts'
export { type Body, edit, type Graph, type Node, print, type Value } from './graph/index.ts'
export {
  define,
  f32,
  i64,
  mlp,
  resnet,
  resnetCifar,
  simpleNet,
  withClassifierHead,
  withNormalization,
} from './nn/index.ts'
export { decode, encode } from './onnx/index.ts'
export { check, cost, infer, type Summary, summarize, upgrade } from './read/index.ts'
export { type Pass, pipe } from './rewrite/index.ts'
export type { Backend, Feeds, Results, Session } from './runtime/index.ts'
export { type Candidate, type Choice, choose, stratifiedFolds } from './select/index.ts'
export { type SimplifyOptions, simplify } from './simplify/index.ts'
export { constant, cosine, step, type Trained, type TrainOptions, type TrainProgress, train } from './train/index.ts'
