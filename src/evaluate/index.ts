export { applyTemperature, fitTemperature, type TemperatureFit } from './calibration.ts'
export { type ClassScores, type ConfusionMatrix, classScores, confusionMatrix } from './confusion-matrix.ts'
export {
  compareLatency,
  type Latency,
  type LatencyComparison,
  latency,
  type Timed,
  type TimingOptions,
  throughput,
} from './latency.ts'
export {
  type ClassificationReport,
  classificationReport,
  isBetter,
  type Metric,
  type MetricName,
  metricNamed,
  metrics,
} from './metrics.ts'
export { type PredictOptions, predict } from './predict.ts'
export { type Predictions, type PredictionsOptions, predictions, takePredictions } from './predictions.ts'
export { classRocCurve, type RocCurve } from './ranking.ts'
export { meanAbsoluteError, r2, rootMeanSquaredError } from './regression.ts'
export { type RunDatasetOptions, runDataset } from './run-dataset.ts'
export {
  bootstrapDifference,
  type Interval,
  type McNemar,
  type MetricDifference,
  mcnemar,
  signTest,
  wilsonInterval,
} from './significance.ts'
