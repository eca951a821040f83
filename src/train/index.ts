export type { EpochRecord } from './history.ts'
export { constant, cosine, type Schedule, step, type WarmupOptions } from './schedule.ts'
export { type Trained, type TrainOptions, type TrainProgress, train, type Validation } from './train.ts'
export { type FormTiming, preferred, type TuneOptions, tune } from './tune.ts'
