import { SinterError } from '../base/errors.ts'

/** The learning rate's factor over training. */
export interface Schedule {
  readonly name: string
  /** At a step, counted from 0 over all epochs, of `steps` in all; `epoch` is the one it is in, counted from 0. */
  factor(at: { readonly step: number; readonly steps: number; readonly epoch: number }): number
}

export interface WarmupOptions {
  /** Part of all steps over which the rate rises linearly from near zero. */
  readonly warmup?: number
}

/** The same rate throughout. */
export function constant({ warmup = 0 }: WarmupOptions = {}): Schedule {
  return warmed('constant', warmup, () => 1)
}

/** Half a cosine from the full rate down to `final` times it (Loshchilov and Hutter 2017, without restarts). */
export function cosine({ warmup = 0, final = 0 }: WarmupOptions & { readonly final?: number } = {}): Schedule {
  if (!(final >= 0 && final <= 1))
    throw new SinterError('invalid-argument', `final is a part of the full rate, from 0 to 1, not ${final}.`, { final })
  return warmed('cosine', warmup, progress => final + ((1 - final) * (1 + Math.cos(Math.PI * progress))) / 2)
}

/** Multiplies the rate by `gamma` after each of the given numbers of epochs. */
export function step({
  at,
  gamma = 0.1,
  warmup = 0,
}: WarmupOptions & { readonly at: readonly number[]; readonly gamma?: number }): Schedule {
  if (!at.every(epochs => Number.isInteger(epochs) && epochs > 0))
    throw new SinterError('invalid-argument', `at lists numbers of epochs above 0, not ${at.join(', ')}.`, { at })
  if (!(gamma > 0 && Number.isFinite(gamma)))
    throw new SinterError('invalid-argument', `gamma must be above 0, not ${gamma}.`, { gamma })
  return warmed('step', warmup, (_, epoch) => gamma ** at.filter(boundary => epoch >= boundary).length)
}

function warmed(name: string, warmup: number, shape: (progress: number, epoch: number) => number): Schedule {
  if (!(warmup >= 0 && warmup < 1))
    throw new SinterError('invalid-argument', `warmup is a part of all steps, from 0 to below 1, not ${warmup}.`, {
      warmup,
    })
  return {
    name,
    factor({ step, steps, epoch }) {
      const rise = warmup * steps
      if (step < rise) return ((step + 1) / Math.ceil(rise)) * shape(0, epoch)
      return shape((step - rise) / Math.max(1, steps - rise), epoch)
    },
  }
}
