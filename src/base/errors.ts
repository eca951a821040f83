/** Every way in which Sinter refuses. A code is stable; messages may be reworded. */
export type SinterErrorCode =
  | 'invalid-argument' // a caller's option or argument is wrong
  | 'invalid-config' // a recipe file is wrong
  | 'invalid-data' // a data set is malformed or does not fit the model
  | 'invalid-graph' // a graph breaks the rules of ONNX
  | 'invalid-model' // a file is not an ONNX model, or is damaged
  | 'invalid-path' // external data outside of the model's folder
  | 'not-found' // a file, value or node does not exist
  | 'not-supported' // well-formed, but Sinter refuses, with a reason
  | 'not-differentiable' // no gradient along this path
  | 'runtime-failed' // onnxruntime refused or failed
  | 'runtime-missing' // onnxruntime is not installed
  | 'diverged' // training produced NaN or infinity
  | 'interrupted' // stopped by the user
  | 'io' // reading or writing failed

export type ErrorDetails = Readonly<Record<string, unknown>>

/**
 * The one error that Sinter throws on purpose. `message` says what, where and what to do;
 * `details` carries the same facts as data.
 */
export class SinterError extends Error {
  readonly code: SinterErrorCode
  readonly details: ErrorDetails

  constructor(code: SinterErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'SinterError'
    this.code = code
    this.details = details
  }
}

/** The message of anything that can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The same without its full stop: for a sentence that goes on. */
export function reasonOf(error: unknown): string {
  return messageOf(error).trimEnd().replace(/\.+$/, '')
}
