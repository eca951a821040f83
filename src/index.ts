/** What Sinter is without files and without an engine: graphs in, graphs out. It runs wherever JavaScript does. */
export type { DType } from './base/dtype.ts'
export { SinterError, type SinterErrorCode } from './base/errors.ts'
export { type Random, random } from './base/random.ts'
export type { Dim, Shape, TensorType, ValueType } from './base/shape.ts'
export { float32s, int64s, type Tensor, tensor } from './base/tensor.ts'
export {
  dropBlock,
  insideBlocks,
  l1Norm,
  l2Norm,
  planPruning,
  prune,
  replaceHead,
  residualBlocks,
  swapActivations,
  swapConvs,
} from './compact/index.ts'
export { randomFlip, randomShift } from './data/augment.ts'
export { type Batch, type Dataset, labelsOf, subset, tensorDataset } from './data/dataset.ts'
export { imageDataset } from './data/idx.ts'
export { splitDataset } from './data/split.ts'
export {
  bootstrapDifference,
  classificationReport,
  compareLatency,
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
  throughput,
  wilsonInterval,
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
export { decode } from './onnx/decode.ts'
export { encode } from './onnx/encode.ts'
export { check } from './read/check.ts'
export { cost } from './read/cost.ts'
export { diff } from './read/diff.ts'
export { infer } from './read/infer.ts'
export { type Summary, summarize } from './read/summary.ts'
export { upgrade } from './read/upgrade.ts'
export { type Pass, pipe } from './rewrite/index.ts'
export type { Backend, Feeds, Results, Session } from './runtime/backend.ts'
export { type Candidate, type Choice, choose, stratifiedFolds } from './select/index.ts'
export { type SimplifyOptions, simplify } from './simplify/index.ts'
export { cut, extract, join, rename, setConstants, setDims } from './surgery/index.ts'
export { constant, cosine, step } from './train/schedule.ts'
export {
  outputDifferences,
  randomFeeds,
  type SimplifyModelOptions,
  type SimplifyReport,
  simplifyModel,
} from './verify/index.ts'
