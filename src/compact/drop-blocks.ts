import { isFloat } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { elementCount, formatShape, sameShape, shapeOf } from '../base/shape.ts'
import { edit } from '../graph/edit.ts'
import { type Graph, type Node, readsOf } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { type CostOptions, cost } from '../read/cost.ts'
import type { ChannelGroup } from '../read/coupling.ts'
import { infer, scopeOf } from '../read/infer.ts'
import { type Dominators, dominators } from './dominators.ts'
import { residualRegion } from './residual-region.ts'

/** A residual block: branches that leave one value and are added up again. */
export interface Block {
  /** What its parameters' names have in common (`layer1.0`), else the name of the sum. */
  readonly name: string
  /** The value that the branches leave, and the sum. */
  readonly input: string
  readonly output: string
  /** Names of the values that the block's nodes make, the sum last. */
  readonly values: readonly string[]
  readonly nodes: number
  /** Elements of the floating point parameters that only this block reads. */
  readonly parameters: number
  /** Multiply-accumulates of one example; 0 where they are not known. */
  readonly macs: number
  readonly removable: boolean
  /** Why it is not removable. */
  readonly reason?: string
}

/**
 * The residual blocks of a graph, in order: branches that leave one value and end in one sum, with nothing inside read
 * from elsewhere. A block can be dropped where the sum could be replaced by that value, that is, where the shapes are
 * equal: always so for an identity shortcut, not for a projection that changes width or size.
 */
export function residualBlocks(graph: Graph, options: CostOptions = {}): readonly Block[] {
  const tree = dominators(graph)
  const macs = new Map(cost(graph, options).nodes.map(({ node, macs }) => [node, macs]))
  const found = graph.nodes.flatMap(node => {
    const block = blockAt(graph, node, tree, macs)
    return block ? [block] : []
  })
  const times = new Map<string, number>()
  for (const { name } of found) times.set(name, (times.get(name) ?? 0) + 1)
  return found.map(block => (times.get(block.name) === 1 ? block : { ...block, name: block.output }))
}

/**
 * The graph without a block: what read the sum reads the block's input. Parameters that nothing else reads go too.
 * @throws SinterError `not-found` if there is no such block; `not-supported` if it is not removable, with the reason.
 */
export function dropBlock(graph: Graph, block: Pick<Block, 'name'> | string): Graph {
  const name = typeof block === 'string' ? block : block.name
  const all = residualBlocks(graph)
  const found = all.find(one => one.name === name)
  if (!found) {
    throw new SinterError(
      'not-found',
      `No residual block is called '${name}'. There are: ${all.map(b => b.name).join(', ')}.`,
      {
        name,
      },
    )
  }
  if (!found.removable) {
    throw new SinterError('not-supported', `The block '${name}' cannot be dropped: ${found.reason}.`, { name })
  }
  return edit(graph, draft => draft.redirect(found.output, found.input))
}

/** Whether all of a group's channels lie inside of residual blocks, where cutting them leaves the trunk as wide as it is. */
export function insideBlocks(graph: Graph): (group: ChannelGroup) => boolean {
  const inside = residualBlocks(graph).map(({ values, output }) => new Set(values.filter(name => name !== output)))
  return group => {
    const activations = group.axes.filter(axis => !axis.parameter)
    return activations.length > 0 && inside.some(values => activations.every(axis => values.has(axis.value)))
  }
}

function blockAt(graph: Graph, sum: Node, tree: Dominators, macs: ReadonlyMap<Node, number>): Block | undefined {
  const found = residualRegion(graph, sum, tree)
  if (!found) return undefined
  const { input, nodes: region } = found
  const output = sum.outputs[0]!
  const values = graph.nodes.filter(node => region.has(node)).flatMap(node => node.outputs)
  const types = infer(graph)
  const own = parametersOf(graph, region)
  const [from, to] = [shapeOf(types.get(input)), shapeOf(types.get(output))]
  const reason = view(graph).isOutput(output)
    ? `its sum is the output '${output}' of the graph`
    : sameShape(from, to)
      ? undefined
      : `it changes the shape from ${formatShape(from)} to ${formatShape(to)}`
  return {
    name: commonName([...own.keys()]) ?? output,
    input,
    output,
    values,
    nodes: region.size,
    parameters: [...own.values()].reduce((sum, count) => sum + count, 0),
    macs: [...region].reduce((total, node) => total + macs.get(node)!, 0),
    removable: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
  }
}

/** Names of the floating point parameters that only nodes of the region read, with how many elements each has. */
function parametersOf(graph: Graph, region: ReadonlySet<Node>): ReadonlyMap<string, number> {
  const { consumers } = view(graph)
  const { constant } = scopeOf(graph, infer(graph))
  const found = new Map<string, number>()
  for (const name of [...region].flatMap(node => readsOf(node))) {
    const value = constant(name)
    if (!value || !isFloat(value.dtype) || !consumers(name).every(node => region.has(node))) continue
    found.set(name, elementCount(value.shape))
  }
  return found
}

/** The common beginning of names, up to a separator: `layer1.0` of `layer1.0.conv1.weight` and `layer1.0.bn1.bias`. */
function commonName(names: readonly string[]): string | undefined {
  const [first, ...others] = names.map(name => name.split(/[./]/))
  if (!first || others.length === 0) return undefined
  const differs = first.findIndex((part, i) => others.some(other => other[i] !== part))
  const common = first.slice(0, differs < 0 ? first.length - 1 : differs)
  return common.length > 0 ? names[0]!.slice(0, common.join('.').length) : undefined
}
