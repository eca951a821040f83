import { arrayLength } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { elementCount, formatShape } from '../base/shape.ts'
import { isLazy, type Tensor } from '../base/tensor.ts'
import { type Attribute, type Body, describe, namedBodiesOf, readsOf, type SparseTensor } from './graph.ts'
import { nestsTooDeep, tooDeep } from './nesting.ts'

/** What can be wrong with a graph whatever its operators mean. */
export type ProblemCode =
  | 'missing-value' // read, but nothing makes it
  | 'missing-output' // an output of the graph that nothing in it makes
  | 'duplicate-value' // made more than once
  | 'duplicate-input' // an input of the graph that stands twice
  | 'shadowed-value' // a name inside of a body that stands for another value around it
  | 'unnamed-value' // an input or output without a name, or a node whose outputs all have none
  | 'out-of-order' // a node before the one that makes what it reads
  | 'cycle' // nodes that wait for each other
  | 'wrong-data' // a tensor whose data does not fit its shape
  | 'deep-nesting' // bodies inside of bodies, deeper than a file can hold; nothing else is looked at then

export interface Problem {
  readonly code: ProblemCode
  readonly message: string
  readonly where: {
    /** The bodies around, from the outside in, such as `If 'choice' then_branch`; empty for the graph itself. */
    readonly body: readonly string[]
    readonly value?: string
    /** The node in words, and its place in the body's nodes. */
    readonly node?: string
    readonly index?: number
  }
}

/**
 * What breaks the rules of ONNX in a graph and the bodies inside of it, as data; empty if nothing does. What needs
 * knowledge of operators (how many inputs, which attributes, which types) is not looked at, and data that was not read
 * from its file yet is trusted.
 */
export function check(body: Body): readonly Problem[] {
  if (nestsTooDeep(body)) return [{ code: 'deep-nesting', message: tooDeep(body), where: { body: [] } }]
  const problems: Problem[] = []
  checkBody(body, [], () => false, problems)
  return problems
}

/** The error for a graph that something is wrong with: its first problems in words, all of them in `details.problems`. */
export function brokenGraph(name: string, problems: readonly { readonly message: string }[]): SinterError {
  const shown = problems.slice(0, 3).map(({ message }) => message)
  const more = problems.length > shown.length ? ` And ${problems.length - shown.length} more.` : ''
  return new SinterError('invalid-graph', `The graph '${name}' is broken. ${shown.join(' ')}${more}`, { problems })
}

type Report = (code: ProblemCode, message: string, where?: Omit<Problem['where'], 'body'>) => void

function checkBody(body: Body, path: readonly string[], around: (name: string) => boolean, problems: Problem[]): void {
  const report: Report = (code, message, where = {}) => {
    const place = path.length > 0 ? `In ${path.join(', ')}: ` : ''
    problems.push({ code, message: `${place}${message}`, where: { body: path, ...where } })
  }
  const defined = checkNames(body, around, report)
  checkData(body, report)
  body.nodes.forEach((node, index) => {
    const at = { node: describe(node), index }
    for (const value of new Set(node.inputs)) {
      if (value !== '' && !defined.has(value) && !around(value))
        report('missing-value', `${at.node} reads '${value}', which nothing makes.`, { ...at, value })
    }
    for (const [name, inner] of namedBodiesOf(node)) {
      checkBody(inner, [...path, `${at.node} ${name}`], value => defined.has(value) || around(value), problems)
    }
  })
  checkOutputs(body, defined, around, report)
  checkOrder(body, report)
}

/** Reports names that are missing or stand for two values; returns all that the body defines. */
function checkNames(body: Body, around: (name: string) => boolean, report: Report): ReadonlySet<string> {
  const inputs = new Set<string>()
  for (const { name: value } of body.inputs) {
    if (value === '') report('unnamed-value', 'An input of the graph has no name.')
    else if (inputs.has(value)) report('duplicate-input', `The input '${value}' stands twice.`, { value })
    inputs.add(value)
  }
  const constants = new Set([...body.initializers.keys(), ...(body.sparseInitializers?.keys() ?? [])])
  for (const value of body.sparseInitializers?.keys() ?? []) {
    if (body.initializers.has(value))
      report('duplicate-value', `'${value}' is both a dense and a sparse initializer.`, { value })
  }
  const makers = new Map<string, string>()
  body.nodes.forEach((node, index) => {
    const at = { node: describe(node), index }
    if (node.outputs.every(value => value === '')) report('unnamed-value', `${at.node} names no output.`, at)
    for (const value of node.outputs) {
      if (value === '') continue
      const first = inputs.has(value) ? 'an input' : constants.has(value) ? 'an initializer' : makers.get(value)
      if (first) report('duplicate-value', `${at.node} makes '${value}', which is ${first} already.`, { ...at, value })
      else makers.set(value, `made by ${at.node}`)
    }
  })
  const defined = new Set([...inputs, ...constants, ...makers.keys()])
  for (const value of defined) {
    if (value !== '' && around(value))
      report('shadowed-value', `'${value}' stands for another value outside of this body. Rename one.`, { value })
  }
  return defined
}

function checkOutputs(
  body: Body,
  defined: ReadonlySet<string>,
  around: (name: string) => boolean,
  report: Report,
): void {
  for (const { name: value } of body.outputs) {
    if (value === '') report('unnamed-value', 'An output of the graph has no name.')
    else if (around(value) && !defined.has(value))
      report('missing-output', `The output '${value}' is made outside of this body. Copy it with Identity.`, { value })
    else if (!defined.has(value)) report('missing-output', `Nothing makes the output '${value}'.`, { value })
  }
}

function checkData(body: Body, report: Report): void {
  const checkTensor = (tensor: Tensor, what: string, where?: Omit<Problem['where'], 'body'>) => {
    const problem = problemOf(tensor)
    if (problem) report('wrong-data', `${what} ${problem}.`, where)
  }
  for (const [value, tensor] of body.initializers) checkTensor(tensor, `The initializer '${value}'`, { value })
  for (const [value, sparse] of body.sparseInitializers ?? []) {
    const problem = problemOfSparse(sparse)
    if (problem) report('wrong-data', `The sparse initializer '${value}' ${problem}.`, { value })
  }
  body.nodes.forEach((node, index) => {
    for (const [name, attribute] of Object.entries(node.attributes)) {
      const at = { node: describe(node), index }
      for (const tensor of tensorsOf(attribute)) checkTensor(tensor, `The attribute ${name} of ${at.node}`, at)
    }
  })
}

function problemOf(tensor: Tensor): string | undefined {
  const { dtype, shape } = tensor
  if (!shape.every(size => Number.isSafeInteger(size) && size >= 0)) return `has the shape ${formatShape(shape)}`
  if (isLazy(tensor)) return undefined
  const expected = arrayLength(dtype, elementCount(shape))
  if (tensor.data.length === expected) return undefined
  return `holds ${tensor.data.length} array elements where ${dtype}${formatShape(shape)} has ${expected}`
}

function problemOfSparse({ shape, values, indices }: SparseTensor): string | undefined {
  const broken = problemOf(values) ?? problemOf(indices)
  if (broken) return broken
  const count = elementCount(values.shape)
  const [rows, columns = 1] = indices.shape
  const linear = indices.shape.length === 1
  if (values.shape.length !== 1 || rows !== count || (!linear && columns !== shape.length))
    return `has indices ${formatShape(indices.shape)} for values ${formatShape(values.shape)} of ${formatShape(shape)}`
  const limits = linear ? [elementCount(shape)] : shape
  const outside = indices.data.find((index, i) => index < 0n || index >= BigInt(limits[i % limits.length]!))
  return outside === undefined ? undefined : `has the index ${outside}, outside of ${formatShape(shape)}`
}

/** Reports nodes that read what is made only later: as a cycle where no order would help. */
function checkOrder({ nodes }: Body, report: Report): void {
  const producers = new Map<string, number>()
  nodes.forEach((node, i) => {
    for (const name of node.outputs) if (name !== '' && !producers.has(name)) producers.set(name, i)
  })
  const reads = nodes.map(readsOf)
  const early = reads.flatMap((names, index) =>
    names.filter(name => (producers.get(name) ?? -1) >= index).map(value => ({ index, value })),
  )
  if (early.length === 0) return
  const needs = reads.map(names => names.flatMap(name => producers.get(name) ?? []))
  const stuck = withoutOrder(needs)
  for (const cycle of cyclesIn(stuck, needs)) {
    const index = cycle[0]!
    const names = cycle.slice(0, 8).map(i => describe(nodes[i]!))
    const loop = [...names, ...(cycle.length > 8 ? ['...'] : []), names[0]].join(' <- ')
    report('cycle', `Nodes wait for each other: ${loop}.`, { node: describe(nodes[index]!), index })
  }
  for (const { index, value } of early) {
    if (stuck.has(index) && stuck.has(producers.get(value)!)) continue
    const node = describe(nodes[index]!)
    const message = `${node} reads '${value}' before ${describe(nodes[producers.get(value)!]!)} makes it.`
    report('out-of-order', message, { node, index, value })
  }
}

/** The nodes that no order gets to: those in cycles, and those that depend on them (Kahn's algorithm). */
function withoutOrder(needs: readonly (readonly number[])[]): ReadonlySet<number> {
  const readers = needs.map((): number[] => [])
  needs.forEach((list, i) => {
    for (const j of list) readers[j]!.push(i)
  })
  const missing = needs.map(list => list.length)
  const ready = missing.flatMap((count, i) => (count === 0 ? [i] : []))
  const stuck = new Set(needs.keys())
  for (let i = ready.pop(); i !== undefined; i = ready.pop()) {
    stuck.delete(i)
    for (const reader of readers[i]!) if (--missing[reader]! === 0) ready.push(reader)
  }
  return stuck
}

/** One cycle for each group of stuck nodes: going back from a node to one that it needs must come round at last. */
function cyclesIn(stuck: ReadonlySet<number>, needs: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const cycles: number[][] = []
  const visited = new Set<number>()
  for (const start of stuck) {
    const trail: number[] = []
    let current = start
    while (!visited.has(current)) {
      visited.add(current)
      trail.push(current)
      current = needs[current]!.find(j => stuck.has(j))!
    }
    const from = trail.indexOf(current)
    if (from >= 0) cycles.push(trail.slice(from))
  }
  return cycles
}

function tensorsOf(attribute: Attribute): readonly Tensor[] {
  if (attribute.type === 'tensor') return [attribute.value]
  return attribute.type === 'tensors' ? attribute.value : []
}
