import type { Tensor } from '../../base/tensor.ts'
import type { Ref } from '../../ops/build.ts'
import { movesFirst } from '../../ops/kinds.ts'
import { keyOf, type OpName } from '../../ops/spec.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { floatNumber } from '../float-number.ts'
import { gridOf, map, rounded } from './grid.ts'

/** No network has more nodes between a scale and the weights that it belongs to. */
const farthest = 8

/**
 * One number that scales queries, keys or their products (attention divides by the square root of the width) moves up into
 * the weights that made one of them, past what only moves elements.
 */
export const sinkScale = rule({
  name: 'sink-scale',
  match({ op, any, constant, either }) {
    const single = (t: Tensor) => floatNumber(t) !== undefined
    const above = either(
      op.MatMul([any(), any()]).once(),
      op.Reshape([any(), any()]).once(),
      op.Transpose([any()]).once(),
      op.Squeeze([any(), any()]).once(),
      op.Unsqueeze([any(), any()]).once(),
    )
    return either(op.Mul([above, constant('c', single)]).as('root'), op.Div([above, constant('c', single)]).as('root'))
  },
  replace({ c, root }, tools) {
    const x = root.node.inputs.find(input => input !== c.ref)!
    if (root.type === 'Div' && root.node.inputs[0] === c.ref) return tools.decline('the constant is what is divided')
    const rank = tools.type(x)?.shape?.length
    if (rank === undefined || c.shape.length > rank) return tools.decline('the constant may add dimensions')
    const value = floatNumber(c)!
    const scaled = scaledBy(x, root.type === 'Mul' ? value : 1 / value, tools, farthest)
    return scaled ?? tools.decline('no weights of its own stand above')
  },
})

/** The value scaled by a number without a node more; undefined where no weights can take it. */
function scaledBy(ref: Ref, factor: number, tools: Tools, steps: number): Ref | undefined {
  const { op, constant, producer, uses, attributes } = tools
  const known = constant(ref)
  if (known) {
    // Weights that serve another node too would be stored twice.
    const made =
      uses(ref) === 1
        ? rounded(
            known.dtype,
            map(gridOf(known), value => value * factor),
          )
        : undefined
    return made && op.constant(made, ref)
  }
  const node = producer(ref)
  if (!node || steps === 0 || uses(ref) !== 1 || node.outputs.length > 1) return undefined
  const key = keyOf(node)
  const [first = '', second = ''] = node.inputs
  const again = (a: Ref, b: Ref | null) => op.many(key as OpName, 1, [a, b, ...node.inputs.slice(2)], stated)[0]
  const all = attributes(node)
  const stated = Object.fromEntries(Object.entries(all).filter(([name]) => name in node.attributes)) as object
  // What only moves elements moves scaled ones too.
  if (movesFirst(node)) {
    if (constant(first)) return undefined
    const x = scaledBy(first, factor, tools, steps - 1)
    return x && again(x, second || null)
  }
  if (key === 'MatMul') {
    const right = scaledBy(second, factor, tools, steps - 1)
    if (right !== undefined) return again(first, right)
    const left = scaledBy(first, factor, tools, steps - 1)
    return left && again(left, second)
  }
  if (key === 'Gemm' && node.inputs.length === 2) {
    const right = scaledBy(second, factor, tools, steps - 1)
    return right && again(first, right)
  }
  // A bias is scaled with what it is added to.
  const bias = key === 'Add' ? [first, second].find(name => constant(name)) : undefined
  if (bias === undefined) return undefined
  const sum = scaledBy(bias === first ? second : first, factor, tools, steps - 1)
  const shift = sum && scaledBy(bias, factor, tools, 0)
  return shift && again(sum, shift)
}
