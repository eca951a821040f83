import { SinterError } from '../base/errors.ts'
import type { Ops, Ref } from '../ops/build.ts'

/** Emits the update of one tensor; all tensors of a call have its shape. */
export interface Update {
  readonly parameter: Ref
  readonly gradient: Ref
  /** The optimizer's own memory, one tensor for each of its slots. */
  readonly slots: readonly Ref[]
  /** Rank-0 inputs by name: `rate`, and those that `scalars` gives. */
  readonly scalars: Readonly<Record<string, Ref>>
  /** Whether weight decay applies to this tensor. */
  readonly decays: boolean
}

/** An update rule, as nodes of the training step. */
export interface Optimizer {
  readonly name: string
  /** The peak learning rate, which a schedule scales. */
  readonly rate: number
  /** Tensors it keeps for each parameter, all starting at zero. */
  readonly slots: readonly string[]
  /** Values besides the rate that change from step to step; the first step is 1. */
  scalars(step: number): Readonly<Record<string, number>>
  build(op: Ops, update: Update): { readonly parameter: Ref; readonly slots: readonly Ref[] }
}

/** The names of an optimizer's rank-0 inputs. */
export function scalarNames(optimizer: Optimizer): readonly string[] {
  return ['rate', ...Object.keys(optimizer.scalars(1))]
}

export interface SgdOptions {
  readonly rate?: number
  readonly momentum?: number
  readonly nesterov?: boolean
  /** L2 penalty added to the gradient. */
  readonly weightDecay?: number
}

/**
 * Stochastic gradient descent: v = momentum * v + (g + weightDecay * p); p -= rate * v, or with Nesterov's momentum
 * p -= rate * (g + weightDecay * p + momentum * v). As PyTorch's SGD without dampening.
 */
export function sgd({ rate = 0.1, momentum = 0.9, nesterov = false, weightDecay = 0 }: SgdOptions = {}): Optimizer {
  positive('rate', rate)
  fraction('momentum', momentum)
  nonNegative('weightDecay', weightDecay)
  if (nesterov && momentum === 0) throw new SinterError('invalid-argument', 'nesterov needs a momentum above 0.')
  return {
    name: 'sgd',
    rate,
    slots: momentum > 0 ? ['momentum'] : [],
    scalars: () => ({}),
    build(op, { parameter, gradient, slots: [velocity], scalars, decays }) {
      const { dtype } = op.type(parameter)
      const by = (factor: number, value: Ref) => op.Mul([value, op.scalar(factor, dtype)])
      const g = decays && weightDecay > 0 ? op.Add([gradient, by(weightDecay, parameter)]) : gradient
      const v = velocity === undefined ? undefined : op.Add([by(momentum, velocity), g])
      const direction = v === undefined ? g : nesterov ? op.Add([g, by(momentum, v)]) : v
      return { parameter: op.Sub([parameter, op.Mul([direction, scalars.rate!])]), slots: v === undefined ? [] : [v] }
    },
  }
}

export interface AdamWOptions {
  readonly rate?: number
  readonly beta1?: number
  readonly beta2?: number
  readonly epsilon?: number
  /** Decoupled weight decay. */
  readonly weightDecay?: number
}

/** AdamW (Loshchilov and Hutter 2019), with the bias corrections of Kingma and Ba 2015; as PyTorch's AdamW. */
export function adamW({
  rate = 1e-3,
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  weightDecay = 0.01,
}: AdamWOptions = {}): Optimizer {
  positive('rate', rate)
  fraction('beta1', beta1)
  fraction('beta2', beta2)
  positive('epsilon', epsilon)
  nonNegative('weightDecay', weightDecay)
  return {
    name: 'adamW',
    rate,
    slots: ['mean', 'variance'],
    scalars: step => ({
      meanCorrection: 1 / (1 - beta1 ** step),
      deviationCorrection: 1 / Math.sqrt(1 - beta2 ** step),
    }),
    build(op, { parameter, gradient, slots: [mean, variance], scalars, decays }) {
      const { dtype } = op.type(parameter)
      const by = (factor: number, value: Ref) => op.Mul([value, op.scalar(factor, dtype)])
      const m = op.Add([by(beta1, mean!), by(1 - beta1, gradient)])
      const v = op.Add([by(beta2, variance!), by(1 - beta2, op.Mul([gradient, gradient]))])
      const deviation = op.Add([op.Mul([op.Sqrt([v]), scalars.deviationCorrection!]), op.scalar(epsilon, dtype)])
      const direction = op.Div([op.Mul([m, scalars.meanCorrection!]), deviation])
      const step = decays && weightDecay > 0 ? op.Add([direction, by(weightDecay, parameter)]) : direction
      return { parameter: op.Sub([parameter, op.Mul([step, scalars.rate!])]), slots: [m, v] }
    },
  }
}

function positive(name: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw new SinterError('invalid-argument', `${name} must be above 0, not ${value}.`, { [name]: value })
}

function nonNegative(name: string, value: number): void {
  if (!(value >= 0 && Number.isFinite(value)))
    throw new SinterError('invalid-argument', `${name} must not be negative, got ${value}.`, { [name]: value })
}

function fraction(name: string, value: number): void {
  if (!(value >= 0 && value < 1))
    throw new SinterError('invalid-argument', `${name} must be at least 0 and below 1, not ${value}.`, {
      [name]: value,
    })
}
