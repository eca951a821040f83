import { sameContent } from '../base/content.ts'
import { isFloat } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { fromNumbers, numbers, type Tensor } from '../base/tensor.ts'
import { describe, type Graph } from '../graph/graph.ts'
import { normalizeWeights } from './weights.ts'

export interface SoupOptions {
  /** How much each member counts; all alike if left out. */
  readonly weights?: readonly number[]
  /** What messages call the members; `m0`, `m1`, ... if left out. */
  readonly names?: readonly string[]
}

/**
 * One model whose weights are the mean of the members': a model soup (Wortsman et al. 2022, Model soups). It costs what
 * one member costs. It helps for members fine-tuned from one ancestor, whose weights lie in one basin; for networks
 * trained apart from different starts it gives nonsense. Running statistics of batch normalization are averaged like the
 * other weights and are better collected anew. Means are taken in float64.
 * @throws SinterError `invalid-argument`, naming the member and the place, if a member is not of the same architecture.
 */
export function soup(members: readonly Graph[], options: SoupOptions = {}): Graph {
  const { names = members.map((_, i) => `m${i}`) } = options
  const [first] = members
  if (!first) throw new SinterError('invalid-argument', 'A soup needs at least one member.')
  const weights = normalizeWeights(options.weights ?? members.map(() => 1))
  if (weights.length !== members.length) {
    const message = `There are ${weights.length} weights for ${members.length} members; give each member one.`
    throw new SinterError('invalid-argument', message, { weights })
  }
  members.forEach((member, i) => {
    const difference = differenceOf(first, member)
    if (difference === undefined) return
    const message = `${names[i]} is not of the same architecture as ${names[0]}: ${difference}.`
    throw new SinterError('invalid-argument', message, { members: [names[0], names[i]] })
  })
  const initializers = new Map(
    [...first.initializers].map(([name, value]) => {
      const all = members.map(member => member.initializers.get(name)!)
      return [name, all.every(one => sameContent(one, value)) ? value : meanOf(all, weights)]
    }),
  )
  return { ...first, initializers }
}

function meanOf(all: readonly Tensor[], weights: readonly number[]): Tensor {
  const { dtype, shape } = all[0]!
  const sum = new Float64Array(numbers(all[0]!).length)
  all.forEach((one, m) => {
    const values = numbers(one)
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + weights[m]! * values[i]!
  })
  return fromNumbers(dtype, shape, sum)
}

/** The first difference between two graphs beside the values of their weights, in words. */
function differenceOf(a: Graph, b: Graph): string | undefined {
  if (a.nodes.length !== b.nodes.length) return `it has ${b.nodes.length} nodes, not ${a.nodes.length}`
  for (const [i, node] of a.nodes.entries()) {
    const other = b.nodes[i]!
    const alike = (key: 'inputs' | 'outputs') => node[key].join('\n') === other[key].join('\n')
    if (node.op !== other.op || node.domain !== other.domain || !alike('inputs') || !alike('outputs')) {
      return `it has ${describe(other)} where the other has ${describe(node)}`
    }
    if (plain(node.attributes) !== plain(other.attributes)) return `the attributes of ${describe(other)} differ`
  }
  if (a.initializers.size !== b.initializers.size)
    return `it has ${b.initializers.size} weights, not ${a.initializers.size}`
  for (const [name, value] of a.initializers) {
    const other = b.initializers.get(name)
    if (!other) return `it has no '${name}'`
    if (other.dtype !== value.dtype || `${other.shape}` !== `${value.shape}`) {
      return `'${name}' is ${other.dtype}[${other.shape}], not ${value.dtype}[${value.shape}]`
    }
    if (!isFloat(value.dtype) && !sameContent(value, other)) return `'${name}' holds other ${value.dtype} numbers`
  }
  return undefined
}

/** Attributes as text to compare by. */
function plain(attributes: unknown): string {
  return JSON.stringify(attributes, (_, value) => {
    if (typeof value === 'bigint') return String(value)
    if (value instanceof Map) return [...value]
    return ArrayBuffer.isView(value) ? Array.from(value as Float32Array, String) : value
  })
}
