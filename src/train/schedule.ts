import { SinterError } from '../base/errors.ts'

/** The learning rate's factor at a point of training; `progress` runs from 0 to 1 over all steps. */
export interface Schedule {
  readonly name: string
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
  return warmed('cosine', warmup, progress => final + ((1 - final) * (1 + Math.cos(Math.PI * progress))) / 2)
}

/** Multiplies the rate by `gamma` at each of the given epochs (counted from 0). */
export function step({
  at,
  gamma = 0.1,
  warmup = 0,
}: WarmupOptions & { readonly at: readonly number[]; readonly gamma?: number }): Schedule {
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
