import type { Node } from '../../graph/graph.ts'
import { countedAxis } from '../../ops/axes.ts'
import type { Ref } from '../../ops/build.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { isLayoutNode } from './layout-node.ts'
import { cutsOf } from './segments.ts'

/**
 * Slices that share a value out along an axis, each element to one of them, become one Split. Gathers of one index count
 * as slices of that size; they leave a Squeeze, which joins with the layout node that follows them.
 */
export const slicesToSplit = rule({
  name: 'slices-to-split',
  match: ({ op, rest, either }) =>
    either(op.Slice([rest('inputs')]).as('node'), op.Gather([rest('inputs')]).as('node')),
  replace({ node: { node } }, tools) {
    const { op, decline } = tools
    const part = partOf(node, tools)
    if (!part) return decline('it takes no fixed part along one axis')
    const source = node.inputs[0]!
    const ref = splitPart(source, part, tools) ?? newSplit(source, part, tools)
    if (ref === undefined) return decline('the parts taken of its input do not add up to it')
    return node.op === 'Gather' ? op.Squeeze([ref, op.ints([part.axis])]) : ref
  },
})

/** A Split of which one part is read is a Slice, which joins with others. */
export const splitToSlice = rule({
  name: 'split-to-slice',
  match: ({ op, any, rest }) => op.Split([any('x'), rest('sizes')]).as('split'),
  replace({ x, split }, tools) {
    const { op, type, uses, readers, decline } = tools
    const { outputs } = split.node
    const read = outputs.flatMap((output, i) => (output !== '' && uses(output) > 0 ? [i] : []))
    if (read.length !== 1 || outputs.length === 1) return decline('not one of several parts is read')
    const rank = type(x)?.shape?.length
    if (rank === undefined) return decline('the rank of its input is not known')
    const axis = countedAxis(split.attributes.axis, rank)
    const [at] = read as [number]
    // Slices that have just become this Split come to it one by one.
    if ([...readers(x)].some(reader => partOf(reader, tools)?.axis === axis)) {
      return decline('the same tensor is sliced beside it')
    }
    const counts = outputs.slice(0, at + 1).map(output => (output === '' ? undefined : type(output)?.shape?.[axis]))
    if (!counts.every(count => typeof count === 'number')) return decline('the sizes of its parts are not known')
    const end = counts.reduce((sum, count) => sum + count, 0)
    const slice = op.Slice([x, op.ints([end - counts[at]!]), op.ints([end]), op.ints([axis])])
    return outputs.map((_, i) => (i === at ? slice : null))
  },
})

interface Part {
  readonly axis: number
  readonly start: number
  readonly count: number
}

function partOf(node: Node, tools: Tools): Part | undefined {
  if (node.domain !== '') return undefined
  if (node.op === 'Slice') {
    const [cut, ...more] = cutsOf(node, tools) ?? []
    return cut && more.length === 0 && cut.step === 1 && cut.count > 0 ? cut : undefined
  }
  const index = node.op === 'Gather' ? tools.constant(node.inputs[1]!) : undefined
  const shape = tools.type(node.inputs[0]!)?.shape
  if (index?.shape.length !== 0 || !shape) return undefined
  const { axis: given = 0 } = tools.attributes(node) as { axis?: number }
  const axis = countedAxis(given, shape.length)
  const size = shape[axis]
  const start = Number(index.data[0])
  return typeof size === 'number' && size > 1 ? { axis, start: start < 0 ? start + size : start, count: 1 } : undefined
}

/** The output of a Split that stands there already and gives this part. */
function splitPart(source: Ref, part: Part, tools: Tools): Ref | undefined {
  const rank = tools.type(source)?.shape?.length ?? 0
  for (const reader of tools.readers(source)) {
    if (reader.op !== 'Split' || reader.domain !== '' || reader.inputs[0] !== source) continue
    const { axis = 0 } = tools.attributes(reader) as { axis?: number }
    if (countedAxis(axis, rank) !== part.axis) continue
    let start = 0
    for (const output of reader.outputs) {
      const size = tools.type(output)?.shape?.[part.axis]
      if (typeof size !== 'number' || start > part.start) break
      if (start === part.start && size === part.count) return output
      start += size
    }
  }
  return undefined
}

/** A Split in the place of all the parts that are taken, if that saves nodes; every part then finds its output in it. */
function newSplit(source: Ref, { axis, start }: Part, tools: Tools): Ref | undefined {
  const counts = new Map<number, number>()
  let saved = -1
  for (const reader of tools.readers(source)) {
    const other = reader.inputs[0] === source ? partOf(reader, tools) : undefined
    if (other?.axis !== axis) continue
    const known = counts.get(other.start)
    if (known !== undefined && known !== other.count) return undefined
    counts.set(other.start, other.count)
    if (reader.op === 'Slice' || isFollowed(reader, tools)) saved++
  }
  const starts = [...counts.keys()].sort((a, b) => a - b)
  let end = 0
  for (const one of starts) {
    if (one !== end) return undefined
    end += counts.get(one)!
  }
  if (saved < 1 || end !== tools.type(source)!.shape![axis]) return undefined
  const sizes = starts.map(one => counts.get(one)!)
  const parts = tools.op.many('Split', sizes.length, [source, tools.op.ints(sizes)], { axis })
  return parts[starts.indexOf(start)]
}

function isFollowed(node: Node, tools: Tools): boolean {
  const readers = [...tools.readers(node.outputs[0]!)]
  return tools.uses(node.outputs[0]!) === 1 && readers.length === 1 && isLayoutNode(readers[0]!)
}
