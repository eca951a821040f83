import { SinterError } from '../base/errors.ts'
import type { Ops, Ref } from '../ops/build.ts'
import { normalizeWeights } from './weights.ts'

/** Turns the members' probabilities, float32 [N, C] each, into combined ones [N, C], as nodes of a graph. */
export interface Combine {
  (op: Ops, members: readonly Ref[]): Ref
  /** What the ensemble's metadata says of how it combines. */
  readonly method?: string
  readonly weights?: readonly number[]
}

/** One member's probabilities, row-major [rows, classes]. */
export type Probabilities = Float32Array | Float64Array

/**
 * A way to combine probabilities. Called, `weightedAverage([0.9, 0.8])`, it gives the rule as a graph; `combine` is the
 * same rule on arrays, which cross-validation asks for thousands of times and needs no engine for. The array form takes
 * the graph's steps in the graph's order and rounds to float32 where the graph does, so that both choose the same class
 * for the same row, ties included; `conformMethod` holds every method to that.
 */
export interface CombineMethod<Name extends string = string> {
  (weights?: readonly number[]): Combine
  readonly name: Name
  /** Weights from the members' accuracies, for methods that weigh members. */
  readonly weigh: ((accuracies: readonly number[]) => readonly number[]) | undefined
  /** @throws SinterError `invalid-argument` if the members differ in size or are not as many as the weights. */
  combine(members: readonly Probabilities[], classes: number, weights?: readonly number[]): Float32Array
}

export interface MethodDefinition<Name extends string> {
  readonly name: Name
  readonly weigh?: CombineMethod['weigh']
  /** `weights` sum to 1, one for each member. */
  graph(op: Ops, members: readonly Ref[], weights: readonly number[]): Ref
  arrays(members: readonly Float32Array[], classes: number, weights: readonly number[]): Float32Array
}

/** Makes a method of its two forms. Where no weights are given, all members count alike. */
export function combineMethod<const Name extends string>({
  name,
  weigh,
  graph,
  arrays,
}: MethodDefinition<Name>): CombineMethod<Name> {
  const weightsFor = (weights: readonly number[] | undefined, members: readonly unknown[]) => {
    const given = normalizeWeights(weights ?? members.map(() => 1))
    if (given.length === members.length && given.length > 0) return given
    throw new SinterError(
      'invalid-argument',
      `${name} has ${given.length} weights for ${members.length} members; give each member one.`,
      { method: name, weights, members: members.length },
    )
  }
  const method = (weights?: readonly number[]): Combine => {
    const rule: Combine = (op, members) => graph(op, members, weightsFor(weights, members))
    return Object.assign(rule, { method: name, ...(weights ? { weights: normalizeWeights(weights) } : {}) })
  }
  const properties = {
    weigh,
    combine(members: readonly Probabilities[], classes: number, weights?: readonly number[]) {
      const odd = members.findIndex(one => one.length !== members[0]!.length || one.length % classes !== 0)
      if (odd >= 0) {
        const message = `Member ${odd} has ${members[odd]!.length} probabilities, which is not rows x ${classes} classes as in the first.`
        throw new SinterError('invalid-argument', message, { method: name, member: odd })
      }
      const rounded = members.map(one => (one instanceof Float32Array ? one : Float32Array.from(one)))
      return arrays(rounded, classes, weightsFor(weights, members))
    },
  }
  return Object.defineProperty(Object.assign(method, properties), 'name', { value: name }) as CombineMethod<Name>
}
