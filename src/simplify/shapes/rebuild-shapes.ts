import type { Dim } from '../../base/shape.ts'
import { fromNumbers } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import { readsOf } from '../../graph/graph.ts'
import type { Ref } from '../../ops/build.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { dyingWith } from '../dying.ts'
import type { Settings } from '../settings.ts'
import { costOf, emitPieces, piecesOf, sourceOf } from './dims.ts'

/** Operators that exporters compute shapes with. */
const shapeOps = [
  ...['Shape', 'Size', 'Gather', 'Slice', 'Concat', 'Unsqueeze', 'Squeeze', 'Reshape', 'Cast', 'Expand', 'Where'],
  ...['Add', 'Sub', 'Mul', 'Div', 'Mod', 'Neg', 'Min', 'Max', 'Equal', 'ConstantOfShape', 'Range', 'ReduceProd'],
] as readonly ('Shape' | 'Concat' | 'Where')[]

/** Nodes above one that are looked at for shapes to read. */
const reach = 64

/**
 * Whole numbers of which inference knows the contents, symbols included, are made anew with fewer nodes: a constant where
 * they are all numbers, else one Shape for each row of dimensions that stand side by side in a value, between constants.
 * Dimensions are read as far up in the graph as the same symbol stands.
 */
export const rebuildShapes = ({ opset }: Pick<Settings, 'opset'>) =>
  rule({
    name: 'rebuild-shapes',
    match: ({ op, rest, either }) => either(...shapeOps.map(name => op[name]([rest('inputs')]).as('node'))),
    replace({ node: { node } }, tools) {
      const type = tools.type(node.outputs[0]!)
      const { value, shape, dtype } = type ?? {}
      if (!value || !shape || shape.length > 1) return tools.decline('its contents are not known')
      if (value.every(dim => typeof dim === 'number')) {
        if (!['int64', 'int32', 'bool'].includes(dtype!)) return tools.decline('its contents are not whole numbers')
        const numbers = value as readonly number[]
        return tools.op.constant(fromNumbers(dtype!, shape.length === 0 ? [] : [numbers.length], numbers), 'dims')
      }
      if (dtype !== 'int64' || value.includes('')) return tools.decline('it depends on sizes that are not known')
      return rebuilt(node, value, shape.length === 0, tools, opset) ?? tools.decline('fewer nodes would not do')
    },
  })

function rebuilt(node: Node, value: readonly Dim[], isScalar: boolean, tools: Tools, opset: number): Ref | undefined {
  const pieces = piecesOf(value, sourcesAbove(node, tools), tools)
  if (!pieces) return undefined
  const kept = pieces.flatMap(piece => ('ref' in piece ? [sourceOf(piece, tools, opset)] : []))
  const cost = costOf(pieces, tools, opset) + (isScalar ? 1 : 0)
  if (cost >= dyingWith(node, tools, kept).size) return undefined
  const vector = emitPieces(tools.op, pieces, tools, opset)
  return isScalar ? tools.op.Squeeze([vector, tools.op.ints([0])]) : vector
}

/** The values whose shapes a computation of whole numbers reads. */
function sourcesAbove(root: Node, { producer }: Tools): readonly Ref[] {
  const sources = new Set<Ref>()
  const seen = new Set([root])
  for (const node of seen) {
    if (node.op === 'Shape' && node.domain === '') sources.add(node.inputs[0]!)
    else {
      for (const ref of readsOf(node)) {
        const above = producer(ref)
        if (above && seen.size < reach) seen.add(above)
      }
    }
  }
  return [...sources]
}
