import { SinterError } from '../base/errors.ts'
import type { Tensor } from '../base/tensor.ts'

/** Where a tensor's bytes lie in an external data file. */
export interface ExternalRange {
  readonly offset: number
  readonly length: number
}

/** A data file beside the model, and which tensors lie in it. */
export interface ExternalFile {
  /** The file's name as the model says it: a path relative to the model's folder, with `/`. */
  readonly location: string
  readonly ranges: ReadonlyMap<Tensor, ExternalRange>
}

/** What is the same all through the writing of one model. */
export interface Writing {
  readonly external: ExternalFile | undefined
}

/** The error for a graph that no ONNX file can say. */
export function unwritable(where: string, problem: string): SinterError {
  return new SinterError('invalid-graph', `${where} cannot be written: it ${problem}.`, { where, problem })
}
