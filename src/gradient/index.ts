export { type BackwardOptions, backward } from './backward.ts'
export type { FormChoice, FormChooser, FormQuestion } from './forms.ts'
export { crossEntropy, type Loss, meanSquaredError } from './losses.ts'
export { type AdamWOptions, adamW, type Optimizer, type SgdOptions, sgd, type Update } from './optimizers.ts'
export {
  fixBatch,
  type Layout,
  type TrainStep,
  type TrainStepOptions,
  trainedTensors,
  trainStep,
  withTensors,
} from './train-step.ts'
export { type TensorFilter, trainable } from './trainable.ts'
