import { SinterError } from '../../base/errors.ts'
import { formatShape } from '../../base/shape.ts'
import type { Ref } from '../../ops/build.ts'
import { fanInUniform, type Initializer, normal } from '../initializers.ts'
import type { Module } from '../module.ts'

export interface LinearOptions {
  readonly name?: string
  /** Whether there is a bias, or what it begins with; on if left out. */
  readonly bias?: boolean | Initializer
  readonly weight?: Initializer
}

/** [..., inputs] -> [..., features]. The weights are [features, inputs], as PyTorch has them. */
export function linear(parent: Module, features: number, options: LinearOptions = {}): (x: Ref) => Ref {
  const { name, bias = true, weight = fanInUniform } = options
  const own = parent.child('linear', name)
  return x => {
    const { op } = own
    const { shape } = op.type(x)
    const inputs = shape?.at(-1)
    if (!shape || typeof inputs !== 'number')
      throw new SinterError(
        'invalid-argument',
        `'${own.path}' is applied to ${formatShape(shape)}; it needs a last axis of known size.`,
        { layer: own.path, shape },
      )
    const weights = own.parameter('weight', [features, inputs], weight)
    const initial = bias === true ? fanInUniform : bias
    const shift = initial ? own.parameter('bias', [features], initial, [features, inputs]) : undefined
    if (shape.length === 2) return op.Gemm([x, weights, shift], { transB: 1 })
    const y = op.MatMul([x, op.Transpose([weights], { perm: [1, 0] })])
    return shift === undefined ? y : op.Add([y, shift])
  }
}

export interface EmbeddingOptions {
  readonly name?: string
  readonly weight?: Initializer
}

/** Indices below `count` -> rows of a [count, width] table: [...] -> [..., width]. */
export function embedding(
  parent: Module,
  count: number,
  width: number,
  { name, weight = normal() }: EmbeddingOptions = {},
): (x: Ref) => Ref {
  const own = parent.child('embedding', name)
  return x => own.op.Gather([own.parameter('weight', [count, width], weight), x], { axis: 0 })
}
