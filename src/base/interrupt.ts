import { type ErrorDetails, SinterError } from './errors.ts'

/**
 * Stops here if the signal has aborted. Every stop on request goes through this, so that callers meet one error.
 * @param message what was stopped, and what is kept.
 * @throws SinterError `interrupted`, with the signal's reason as its cause.
 */
export function throwIfInterrupted(signal: AbortSignal | undefined, message: string, details: ErrorDetails = {}): void {
  if (signal?.aborted) throw new SinterError('interrupted', message, details, signal.reason)
}
