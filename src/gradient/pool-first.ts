import { rewrite } from '../rewrite/apply.ts'
import { rule } from '../rewrite/rule.ts'

/** Activations that never fall where their input rises, whatever their attributes in use. */
const rising = ['Relu', 'LeakyRelu', 'Elu', 'Sigmoid', 'Tanh', 'Softplus'] as const

/**
 * Takes maxima before activations: max(f(x)) = f(max(x)) where f never falls. The activation, and above all its
 * gradient, then works on a fraction of the elements; and maxima of what a rectifier has not made equal yet are unique.
 */
export const poolFirst = rewrite(
  'pool-first',
  rising.map(type =>
    rule({
      name: `pool-before-${type.toLowerCase()}`,
      match: ({ op, any }) =>
        op
          .MaxPool([
            op[type]([any('x')])
              .once()
              .as('activation'),
          ])
          .as('pool'),
      replace({ x, activation, pool }, { op, decline }) {
        if (pool.node.outputs[1]) return decline('where the maxima stand is asked for too')
        const { alpha = 0 } = activation.attributes as { readonly alpha?: number }
        if (alpha < 0) return decline('the activation falls below zero')
        return op[type]([op.MaxPool([x], pool.stated)], activation.stated)
      },
    }),
  ),
)
