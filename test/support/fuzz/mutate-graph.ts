import { type DType, dtypes } from '../../../src/base/dtype.ts'
import type { Random } from '../../../src/base/random.ts'
import { type Dim, isTensorType, type ValueType } from '../../../src/base/shape.ts'
import { fromNumbers, type Tensor, zeros } from '../../../src/base/tensor.ts'
import type { Attribute, Body, Graph, Node, Value } from '../../../src/graph/graph.ts'
import { isComputable } from '../../../src/ops/elements.ts'

/** Changes what a graph says: a file that is in order, of a network that is not. */
export function mutateGraph(graph: Graph, other: Graph, draw: Random): Graph {
  let changed = graph
  const times = 1 + draw.integer(3)
  for (let i = 0; i < times; i++) changed = mutations[draw.integer(mutations.length)]!(changed, other, draw)
  return changed
}

type Mutation = (graph: Graph, other: Graph, draw: Random) => Graph

const mutations: readonly Mutation[] = [
  changeAttribute,
  changeAttribute,
  changeAttribute,
  changeInputType,
  changeInputType,
  changeInitializer,
  changeInitializer,
  fixInput,
  fixInput,
  rewire,
  changeArity,
  changeOperator,
  forgetTypes,
  changeOpset,
  repeatName,
  makeCycle,
  nest,
  transplant,
]

const hostileInts = [0, 1, 2, 3, -1, -2, -3, 7, 64, 1000, 65536, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 40, 2 ** 53 - 1]
const hugeInts = [2n ** 63n - 1n, -(2n ** 63n)]
const hostileFloats = [0, 1, -1, 0.5, 1e-30, 1e30, 3.4e38, Number.NaN, Number.POSITIVE_INFINITY, -0.5, 1e9, 2.5]
const strings = [
  '',
  'linear',
  'cubic',
  'SAME_UPPER',
  'VALID',
  'bilinear',
  'reverse',
  'mul',
  'ij,jk->ik',
  '...->...',
  'é',
]

function changeAttribute(graph: Graph, _: Graph, draw: Random): Graph {
  return changeNode(graph, draw, node => {
    const names = Object.keys(node.attributes)
    if (names.length === 0) return { ...node, attributes: { [pick(attributeNames, draw)]: hostileAttribute(draw) } }
    const name = names[draw.integer(names.length)]!
    const { [name]: old, ...rest } = node.attributes
    const kind = draw.integer(8)
    if (kind === 0) return { ...node, attributes: rest }
    if (kind === 1) return { ...node, attributes: { ...node.attributes, [name]: hostileAttribute(draw) } }
    return { ...node, attributes: { ...node.attributes, [name]: hostileLike(old!, draw) } }
  })
}

const attributeNames = [
  'axis',
  'axes',
  'group',
  'to',
  'pads',
  'strides',
  'kernel_shape',
  'mode',
  'keepdims',
  'dilations',
]

function hostileAttribute(draw: Random): Attribute {
  const ints = Array.from({ length: draw.integer(5) }, () => hostileInt(draw))
  const kinds: readonly Attribute[] = [
    { type: 'int', value: hostileInt(draw) },
    { type: 'ints', value: ints },
    { type: 'float', value: pick(hostileFloats, draw) },
    { type: 'string', value: pick(strings, draw) },
    { type: 'tensor', value: hostileTensor(pick(dtypes, draw), [draw.integer(4)], draw) },
  ]
  return pick(kinds, draw)
}

function hostileLike(attribute: Attribute, draw: Random): Attribute {
  switch (attribute.type) {
    case 'int':
      return { type: 'int', value: hostileInt(draw) }
    case 'float':
      return { type: 'float', value: pick(hostileFloats, draw) }
    case 'string':
      return { type: 'string', value: pick(strings, draw) }
    case 'ints': {
      const value = [...attribute.value]
      const change = draw.integer(4)
      if (change === 0 || value.length === 0) value.push(hostileInt(draw))
      else if (change === 1) value.pop()
      else value[draw.integer(value.length)] = hostileInt(draw)
      return { type: 'ints', value }
    }
    case 'floats':
      return {
        type: 'floats',
        value: attribute.value.map(v => (draw.integer(2) === 0 ? pick(hostileFloats, draw) : v)),
      }
    case 'tensor':
      return { type: 'tensor', value: changeTensor(attribute.value, draw) }
    default:
      return hostileAttribute(draw)
  }
}

function hostileInt(draw: Random): number | bigint {
  return draw.integer(12) === 0 ? pick(hugeInts, draw) : pick(hostileInts, draw)
}

function changeInputType(graph: Graph, _: Graph, draw: Random): Graph {
  if (graph.inputs.length === 0) return graph
  const at = draw.integer(graph.inputs.length)
  const inputs = graph.inputs.map(
    (value, i): Value => (i === at ? { ...value, type: otherType(value.type, draw) } : value),
  )
  return { ...graph, inputs }
}

function otherType(type: ValueType | undefined, draw: Random): ValueType | undefined {
  if (!isTensorType(type)) return draw.integer(2) === 0 ? undefined : { dtype: pick(dtypes, draw), shape: [2] }
  const kind = draw.integer(8)
  if (kind === 0) return { dtype: pick(dtypes, draw), shape: type.shape }
  if (kind === 1) return { dtype: type.dtype, shape: undefined }
  const shape: Dim[] = [...(type.shape ?? [])]
  if (kind === 2 || shape.length === 0) shape.splice(draw.integer(shape.length + 1), 0, pick(dims, draw))
  else if (kind === 3) shape.splice(draw.integer(shape.length), 1)
  else if (kind === 4) return { sequence: type }
  else shape[draw.integer(shape.length)] = pick(dims, draw)
  return { dtype: type.dtype, shape }
}

const dims: readonly Dim[] = [0, 0, 0, 1, 2, 3, 5, 'N', 'N', '', 'a*b+1', 1000, 2 ** 31, 2 ** 40, 2 ** 53 - 1]

function changeInitializer(graph: Graph, _: Graph, draw: Random): Graph {
  const names = [...graph.initializers.keys()]
  if (names.length === 0) return graph
  const name = pick(names, draw)
  const changed = changeTensor(graph.initializers.get(name)!, draw)
  return { ...graph, initializers: new Map([...graph.initializers, [name, changed]]) }
}

function changeTensor(tensor: Tensor, draw: Random): Tensor {
  const { dtype, shape } = tensor
  const kind = draw.integer(6)
  const small = shape.map(size => Math.min(size, 64))
  if (kind === 0) return hostileTensor(pick(dtypes, draw), small.slice(0, 2), draw)
  if (kind === 1) return hostileTensor(dtype, [], draw)
  if (kind === 2) return hostileTensor(dtype, [...small.slice(0, 1), 0], draw)
  if (kind === 3) return hostileTensor(dtype, [draw.integer(6)], draw)
  return hostileTensor(dtype, shape.length > 2 ? small.slice(0, 3) : small, draw)
}

/** An input becomes a constant, so that the engine computes with it as it loads the graph. */
function fixInput(graph: Graph, _: Graph, draw: Random): Graph {
  if (graph.inputs.length === 0) return graph
  const all = draw.integer(2) === 0
  const at = draw.integer(graph.inputs.length)
  const initializers = new Map(graph.initializers)
  const inputs = graph.inputs.filter(({ name, type }, i) => {
    if (!(all || i === at) || !isTensorType(type)) return true
    const shape = (type.shape ?? []).map(dim => (typeof dim === 'number' ? Math.min(dim, 16) : 2))
    if (shape.reduce((a, b) => a * b, 1) > 2 ** 16) return true
    initializers.set(name, hostileTensor(type.dtype, shape, draw))
    return false
  })
  return { ...graph, inputs, initializers }
}

function hostileTensor(dtype: DType, shape: readonly number[], draw: Random): Tensor {
  const made = zeros(dtype, shape)
  if (dtype === 'int64' || dtype === 'uint64') {
    const data = made.data as BigInt64Array
    const one = draw.integer(2) === 0
    const kept = hostileInt(draw)
    for (let i = 0; i < data.length; i++) data[i] = BigInt(one ? kept : hostileInt(draw))
    return made
  }
  if (dtype === 'string' || !isComputable(dtype)) return made
  const values = Array.from({ length: made.data.length }, () =>
    dtype.startsWith('float') || dtype === 'bfloat16' ? pick(hostileFloats, draw) : pick(hostileInts, draw),
  )
  return fromNumbers(dtype, shape, values)
}

function rewire(graph: Graph, _: Graph, draw: Random): Graph {
  const values = [...graph.inputs.map(({ name }) => name), ...graph.nodes.flatMap(({ outputs }) => outputs), '']
  return changeNode(graph, draw, node => {
    if (node.inputs.length === 0) return node
    const inputs = [...node.inputs]
    const at = draw.integer(inputs.length)
    if (draw.integer(3) === 0) inputs.reverse()
    else inputs[at] = draw.integer(2) === 0 ? pick(inputs, draw) : pick(values, draw)
    return { ...node, inputs }
  })
}

function changeArity(graph: Graph, _: Graph, draw: Random): Graph {
  return changeNode(graph, draw, node => {
    const kind = draw.integer(4)
    if (kind === 0) return { ...node, inputs: node.inputs.slice(0, -1) }
    if (kind === 1) return { ...node, inputs: [...node.inputs, node.inputs[0] ?? ''] }
    if (kind === 2) return { ...node, outputs: node.outputs.slice(0, -1) }
    return { ...node, outputs: [...node.outputs, `${node.outputs[0]}-more`] }
  })
}

function changeOperator(graph: Graph, other: Graph, draw: Random): Graph {
  const from = draw.integer(2) === 0 ? other : graph
  if (from.nodes.length === 0) return graph
  const { op, domain } = from.nodes[draw.integer(from.nodes.length)]!
  return changeNode(graph, draw, node => ({ ...node, op, domain }))
}

function forgetTypes(graph: Graph, _: Graph, draw: Random): Graph {
  const forget = <T extends { name: string; type: ValueType | undefined }>(value: T) => ({ ...value, type: undefined })
  const wrong = (value: Value) => ({ ...value, type: otherType(value.type, draw) })
  return { ...graph, types: new Map(), outputs: graph.outputs.map(draw.integer(2) === 0 ? wrong : forget) }
}

function changeOpset(graph: Graph, _: Graph, draw: Random): Graph {
  const domain = pick(Object.keys(graph.opset).concat(''), draw)
  return { ...graph, opset: { ...graph.opset, [domain]: pick([0, 1, 6, 7, 9, 11, 13, 17, 18, 21, 23, 28, 99], draw) } }
}

function repeatName(graph: Graph, _: Graph, draw: Random): Graph {
  const names = graph.nodes.flatMap(({ outputs }) => outputs)
  if (names.length === 0) return graph
  return changeNode(graph, draw, node => ({ ...node, outputs: node.outputs.map(() => pick(names, draw)) }))
}

function makeCycle(graph: Graph, _: Graph, draw: Random): Graph {
  if (graph.nodes.length < 2) return graph
  const last = graph.nodes.at(-1)!.outputs[0] ?? ''
  return changeNode(graph, draw, node => ({ ...node, inputs: node.inputs.map(() => last) }))
}

/** Puts a node into the branches of an If, that into another's, and so on. */
function nest(graph: Graph, _: Graph, draw: Random): Graph {
  const levels = 1 + draw.integer(2) * draw.integer(24)
  let serial = 0
  const condition: Tensor = { dtype: 'bool', shape: [], data: Uint8Array.of(draw.integer(2)) }
  const initializers = new Map([...graph.initializers, ['fuzz-condition', condition]])
  const changed = changeNode(graph, draw, original => {
    let inner = original
    for (let i = 0; i < levels; i++) {
      const outputs = inner.outputs.map(name => (name === '' ? '' : `${name}-in-${serial++}`))
      const body = (name: string, suffix: string): Body => {
        const renamed = outputs.map(made => (made === '' ? '' : `${made}${suffix}`))
        return {
          name,
          inputs: [],
          outputs: renamed.filter(made => made !== '').map(made => ({ name: made, type: undefined })),
          nodes: [{ ...inner, outputs: renamed }],
          initializers: new Map(),
          types: new Map(),
        }
      }
      const branches: Readonly<Record<string, Attribute>> = {
        then_branch: { type: 'graph', value: body('then', '-then') },
        else_branch: { type: 'graph', value: body('else', '-else') },
      }
      // Twice as much at each level; beyond a few, one branch is enough to be deep.
      const deep =
        i > 4 ? { ...branches, else_branch: { type: 'graph', value: constantBody(outputs.length) } } : branches
      inner = {
        op: 'If',
        domain: '',
        name: `fuzz-if-${i}`,
        inputs: ['fuzz-condition'],
        outputs: inner.outputs.filter(name => name !== ''),
        attributes: deep as Node['attributes'],
      }
    }
    return inner
  })
  return { ...changed, initializers }
}

function constantBody(count: number): Body {
  const outputs = Array.from({ length: count }, (_, i) => ({ name: `fuzz-constant-${i}`, type: undefined }))
  const value: Tensor = { dtype: 'float32', shape: [1], data: Float32Array.of(1) }
  return {
    name: 'constants',
    inputs: [],
    outputs,
    nodes: outputs.map(({ name }) => ({
      op: 'Constant',
      domain: '',
      name: '',
      inputs: [],
      outputs: [name],
      attributes: { value: { type: 'tensor', value } },
    })),
    initializers: new Map(),
    types: new Map(),
  }
}

/** A node of another graph behind the values of this one. */
function transplant(graph: Graph, other: Graph, draw: Random): Graph {
  if (other.nodes.length === 0) return graph
  const donor = other.nodes[draw.integer(other.nodes.length)]!
  const values = [...graph.inputs.map(({ name }) => name), ...graph.nodes.flatMap(({ outputs }) => outputs)]
  if (values.length === 0) return graph
  const initializers = new Map(graph.initializers)
  const inputs = donor.inputs.map(name => {
    const constant = other.initializers.get(name)
    if (!constant || draw.integer(2) === 0) return name === '' ? '' : pick(values, draw)
    initializers.set(`fuzz-${name}`, constant)
    return `fuzz-${name}`
  })
  const outputs = donor.outputs.map((name, i) => (name === '' ? '' : `fuzz-out-${i}-${draw.integer(1e6)}`))
  const made = outputs.filter(name => name !== '').map(name => ({ name, type: undefined }))
  return {
    ...graph,
    initializers,
    nodes: [...graph.nodes, { ...donor, inputs, outputs }],
    outputs: [...graph.outputs, ...made],
    opset: { ...other.opset, ...graph.opset },
  }
}

function changeNode(graph: Graph, draw: Random, change: (node: Node) => Node): Graph {
  if (graph.nodes.length === 0) return graph
  const at = draw.integer(graph.nodes.length)
  const nodes = graph.nodes.map((node, i) => {
    if (i !== at) return node
    // Now and then inside of a body.
    const bodies = Object.entries(node.attributes).filter(([, { type }]) => type === 'graph')
    if (bodies.length === 0 || draw.integer(3) === 0) return change(node)
    const [name, attribute] = pick(bodies, draw)
    const value = changeNode(attribute.value as Graph, draw, change)
    return { ...node, attributes: { ...node.attributes, [name]: { type: 'graph' as const, value } } }
  })
  return { ...graph, nodes }
}

function pick<T>(list: readonly T[], draw: Random): T {
  return list[draw.integer(list.length)]!
}
