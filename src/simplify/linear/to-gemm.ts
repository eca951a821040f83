import type { Shape } from '../../base/shape.ts'
import { sameShape } from '../../base/shape.ts'
import { reshape } from '../../base/tensor.ts'
import type { Ref } from '../../ops/build.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'

/** A product of two matrices and what is added to it are one Gemm. */
export const matmulToGemm = rule({
  name: 'matmul-to-gemm',
  match: ({ op, any }) =>
    op.Add([
      op
        .MatMul([any('a'), any('b')])
        .once()
        .as('product'),
      any('c'),
    ]),
  replace({ a, b, c, product }, tools) {
    const { op, type, decline } = tools
    if (type(a)?.shape?.length !== 2 || type(b)?.shape?.length !== 2) return decline('it multiplies no two matrices')
    const addend = asAddend(c, type(product.node.outputs[0]!)?.shape, tools)
    if (addend === undefined) return decline('the addend is not known to be broadcast to the product')
    return op.Gemm([a, b, addend])
  },
})

/** What is added to a Gemm that adds nothing yet is its third input. */
export const addIntoGemm = rule({
  name: 'add-into-gemm',
  match: ({ op, any }) =>
    op.Add([
      op
        .Gemm([any('a'), any('b')])
        .once()
        .as('product'),
      any('c'),
    ]),
  replace({ a, b, c, product }, tools) {
    const addend = asAddend(c, tools.type(product.node.outputs[0]!)?.shape, tools)
    if (addend === undefined) return tools.decline('the addend is not known to be broadcast to the product')
    return tools.op.Gemm([a, b, addend], { ...product.stated, beta: 1 })
  },
})

/**
 * The value as a Gemm's addend, which must be broadcast to the product, never the product to it: constants without the
 * dimensions of 1 that lead them. undefined where that is not known.
 */
function asAddend(c: Ref, product: Shape | undefined, { op, constant, type }: Tools): Ref | undefined {
  const known = constant(c)
  const shape = known?.shape ?? type(c)?.shape
  if (!shape || !product || product.length !== 2) return undefined
  const own = shape.slice(-2)
  if (shape.length > 2) return undefined
  const columns = own.at(-1) ?? 1
  const rows = own.length === 2 ? own[0] : 1
  const fits = (dim: unknown, whole: unknown) => dim === 1 || (dim === whole && dim !== '')
  if (!sameShape(shape, product) && !(fits(rows, product[0]) && fits(columns, product[1]))) return undefined
  // One number for each column is what engines look for in a bias.
  if (known && shape.length === 2 && rows === 1 && columns !== 1) {
    return op.constant(reshape(known, [columns as number]), c)
  }
  return c
}

/** A matrix that is transposed before it is multiplied is multiplied as transposed. */
export const transposeIntoGemm = rule({
  name: 'transpose-into-gemm',
  match({ op, any, maybe, either }) {
    const turned = op
      .Transpose([any('turned')])
      .once()
      .as('transpose')
    return either(
      op.Gemm([turned, any('b'), maybe('c')]).as('product'),
      op.Gemm([any('a'), turned, maybe('c')]).as('product'),
    )
  },
  replace(found, { op, decline, constant }) {
    const { turned, transpose, product, c } = found
    const [a, b] = product.node.inputs as readonly [Ref, Ref]
    if (!swaps(transpose.attributes.perm)) return decline('it transposes more than a matrix')
    if (constant(turned)) return decline('it transposes a constant')
    const { transA, transB } = product.attributes
    return transpose.node.outputs[0] === a
      ? op.Gemm([turned, b, c], { ...product.stated, transA: transA ? 0 : 1 })
      : op.Gemm([a, turned, c], { ...product.stated, transB: transB ? 0 : 1 })
  },
})

/** A product of two matrices, one of them transposed just before, is a Gemm that transposes. */
export const transposedMatmulToGemm = rule({
  name: 'transposed-matmul-to-gemm',
  match({ op, any, either }) {
    const turned = op
      .Transpose([any('turned')])
      .once()
      .as('transpose')
    return either(op.MatMul([turned, any('b')]).as('product'), op.MatMul([any('a'), turned]).as('product'))
  },
  replace({ turned, transpose, product }, { op, type, decline, constant }) {
    const [a, b] = product.node.inputs as readonly [Ref, Ref]
    if (type(a)?.shape?.length !== 2 || type(b)?.shape?.length !== 2) return decline('it multiplies no two matrices')
    if (!swaps(transpose.attributes.perm)) return decline('it leaves the matrix as it is')
    if (constant(turned)) return decline('it transposes a constant')
    return transpose.node.outputs[0] === a ? op.Gemm([turned, b], { transA: 1 }) : op.Gemm([a, turned], { transB: 1 })
  },
})

/** By default axes are reversed. */
const swaps = (perm: readonly number[] | undefined) => perm === undefined || (perm.length === 2 && perm[0] === 1)
