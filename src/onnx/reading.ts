import { SinterError } from '../base/errors.ts'
import type { Tensor } from '../base/tensor.ts'
import type { TensorProto } from './generated/onnx_pb.ts'

/** Bytes beside the model that its tensors may point into: a whole file in memory, or one read piece by piece. */
export interface ExternalData {
  readonly byteLength: number
  /** The bytes from `offset` on, a view or a copy. Called only for ranges that lie inside. */
  read(offset: number, length: number): Uint8Array
}

/** Finds external data by the location that the model names. Refuses by throwing. */
export type ExternalResolver = (location: string) => Uint8Array | ExternalData

/** What is the same all through the reading of one file. */
export interface Reading {
  /** The file's name for messages. */
  readonly file: string
  readonly external: ExternalResolver | undefined
  /** Tensors decoded already: those of a function are shared by all of its calls. */
  readonly tensors: WeakMap<TensorProto, Tensor>
}

/** Text from a file in an error message: short, and on one line. */
export function quote(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 77)}...` : text
  return `'${JSON.stringify(short).slice(1, -1)}'`
}

/** The error for a file that is not what ONNX says. `where` is the path of the field, such as `graph.node[3]`. */
export function invalid(reading: Reading, where: string, problem: string): SinterError {
  const advice = 'The file is damaged or was written wrongly: get or export it again.'
  return new SinterError('invalid-model', `${reading.file}: ${where} ${problem}. ${advice}`, {
    file: reading.file,
    where,
    problem,
  })
}

/** The error for a file that is well-formed, but asks for what Sinter does not do. */
export function unsupported(reading: Reading, where: string, problem: string): SinterError {
  return new SinterError('not-supported', `${reading.file}: ${where} ${problem}.`, {
    file: reading.file,
    where,
    problem,
  })
}
