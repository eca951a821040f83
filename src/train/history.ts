/** What one epoch of training did. */
export interface EpochRecord {
  /** Counted from 1. */
  readonly epoch: number
  /** Mean training loss over the epoch's batches. */
  readonly loss: number
  /** Learning rate at the epoch's last step. */
  readonly rate: number
  /** Training time of the epoch, validation not counted. */
  readonly seconds: number
  /** Rows trained on per second. */
  readonly throughput: number
  /** Metrics on the validation data, by name; `loss` is the training objective's. Empty without validation data. */
  readonly validation: Readonly<Record<string, number>>
}
