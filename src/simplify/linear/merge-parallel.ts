import { elementCount } from '../../base/shape.ts'
import { allocate, derivedTensor, int64s, type Tensor } from '../../base/tensor.ts'
import { attribute } from '../../graph/attributes.ts'
import { edit, mapBodies, namesOf } from '../../graph/edit.ts'
import { freshNames } from '../../graph/fresh-names.ts'
import { type Body, bodiesOf, type Node } from '../../graph/graph.ts'
import { type View, view } from '../../graph/view.ts'
import { constantOf } from '../../ops/generate.ts'
import { keyOf } from '../../ops/spec.ts'
import { pass } from '../../rewrite/pass.ts'

/** One of several products of the same value: with the addend that follows it, if one does. */
interface Branch {
  readonly product: Node
  readonly weights: Tensor
  /** The Add that follows a MatMul, and its bias; a Gemm's bias. */
  readonly add: Node | undefined
  readonly bias: Tensor | undefined
  readonly output: string
}

/**
 * Products of one value with several constant matrices, as queries, keys and values are, become one product with all of
 * them side by side, and a Split. Only where that makes fewer nodes, and where nothing else reads the matrices.
 */
export const mergeParallel = pass('merge-parallel', graph => {
  const reads = new Map<string, number>()
  countReads(graph, reads)
  const tools: Tools = { fresh: freshNames(namesOf(graph)), reads: name => reads.get(name) ?? 0 }
  return mergeIn(graph, tools, () => undefined)
})

interface Tools {
  /** A name that no value has, in any body. */
  fresh(hint: string): string
  /** How often a value is read or put out, in whatever body. */
  reads(name: string): number
}

type Constants = (name: string) => Tensor | undefined

function countReads(body: Body, reads: Map<string, number>): void {
  const count = (name: string) => void reads.set(name, (reads.get(name) ?? 0) + 1)
  for (const { name } of body.outputs) count(name)
  for (const node of body.nodes) {
    node.inputs.forEach(count)
    for (const inner of bodiesOf(node)) countReads(inner, reads)
  }
}

/** A pass and no rule: products leave together, and a rule replaces one node's outputs. */
function mergeIn<B extends Body>(given: B, tools: Tools, around: Constants): B {
  const { defines, isInput, producer } = view(given)
  const constant: Constants = name => {
    if (!defines(name)) return around(name)
    return isInput(name) ? undefined : (given.initializers.get(name) ?? constantOf(producer(name)))
  }
  const nodes = given.nodes.map(node => {
    const attributes = mapBodies(node, inner => mergeIn(inner, tools, constant))
    return attributes === node.attributes ? node : { ...node, attributes }
  })
  const body = nodes.every((node, i) => node === given.nodes[i]) ? given : { ...given, nodes }
  const groups = new Map<string, Branch[]>()
  for (const node of body.nodes) {
    const branch = branchAt(node, view(body), tools, constant)
    if (!branch) continue
    const [rows] = branch.weights.shape
    const { weights, bias, product } = branch
    const transposed = product.attributes.transB?.value ? 'turned' : rows
    const attributes = Object.entries(product.attributes).map(([name, { value }]) => `${name}=${value}`)
    const kind = [
      keyOf(product),
      product.inputs[0],
      weights.dtype,
      transposed,
      bias !== undefined,
      ...attributes.sort(),
    ]
    const key = kind.join('\n')
    groups.set(key, [...(groups.get(key) ?? []), branch])
  }
  const merged = [...groups.values()].filter(worthwhile)
  if (merged.length === 0) return body
  return edit(body, draft => {
    const { fresh } = tools
    const hold = (hint: string, value: Tensor) => {
      const name = fresh(hint)
      draft.initializers.set(name, value)
      return name
    }
    for (const branches of merged) {
      const [first] = branches as [Branch, ...Branch[]]
      for (const { product, add } of branches) for (const node of add ? [product, add] : [product]) draft.remove(node)
      const { product } = first
      const turned = Boolean(product.attributes.transB?.value)
      const weights = hold(
        product.inputs[1]!,
        joined(
          branches.map(({ weights }) => weights),
          turned ? 0 : 1,
        ),
      )
      const hint = product.outputs[0]!
      const all = fresh(`${hint}_all`)
      const bias =
        first.bias &&
        hold(
          `${hint}_bias`,
          joined(
            branches.map(({ bias }) => bias!),
            0,
          ),
        )
      const inputs = [product.inputs[0]!, weights]
      if (bias !== undefined && product.op === 'MatMul') {
        const sum = fresh(`${hint}_product`)
        draft.add({ ...product, inputs, outputs: [sum] })
        draft.add({ op: 'Add', inputs: [sum, bias], outputs: [all] })
      } else {
        draft.add({ ...product, inputs: bias === undefined ? inputs : [...inputs, bias], outputs: [all] })
      }
      const sizes = hold('sizes', int64s(branches.map(({ weights }) => weights.shape[turned ? 0 : 1]!)))
      const outputs = branches.map(({ output }) => output)
      draft.add({ op: 'Split', inputs: [all, sizes], outputs, attributes: { axis: attribute.int(-1) } })
    }
  })
}

/** Before there is a product for each, and an Add where there is one; afterwards there is one of each, and the Split. */
function worthwhile(branches: readonly Branch[]): boolean {
  const each = branches[0]!.add ? 2 : 1
  return branches.length * each > each + 1
}

function branchAt(product: Node, { consumers }: View, { reads }: Tools, constant: Constants): Branch | undefined {
  const key = keyOf(product)
  if (key !== 'MatMul' && key !== 'Gemm') return undefined
  const [x = '', w = '', c = ''] = product.inputs
  const weights = constant(w)
  if (weights?.shape.length !== 2 || reads(w) !== 1 || constant(x)) return undefined
  const [output] = product.outputs as [string]
  const columns = weights.shape[product.attributes.transB?.value ? 0 : 1]
  const fits = (t: Tensor | undefined) => t?.shape.length === 1 && t.shape[0] === columns && t.dtype === weights.dtype
  if (key === 'Gemm') {
    const bias = c === '' ? undefined : constant(c)
    return c === '' || fits(bias) ? { product, weights, add: undefined, bias, output } : undefined
  }
  const [add] = consumers(output)
  const other =
    add && keyOf(add) === 'Add' && reads(output) === 1 ? add.inputs.find(name => name !== output) : undefined
  const bias = other === undefined ? undefined : constant(other)
  if (!fits(bias)) return { product, weights, add: undefined, bias: undefined, output }
  return { product, weights, add, bias, output: add!.outputs[0]! }
}

/** Matrices (or vectors) of one element type behind one another along an axis. */
function joined(parts: readonly Tensor[], axis: 0 | 1): Tensor {
  const [{ dtype, shape: first }] = parts as readonly [Tensor, ...Tensor[]]
  const size = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0)
  const shape = first.with(axis, size)
  return derivedTensor(dtype, shape, parts, () => joinedData(parts, shape, axis === 0 ? 1 : first[0]!))
}

function joinedData(parts: readonly Tensor[], shape: readonly number[], rows: number): Tensor['data'] {
  const data = allocate(parts[0]!.dtype, elementCount(shape)) as unknown as Float32Array
  let offset = 0
  const width = data.length / rows
  for (const part of parts) {
    const own = part.data as unknown as Float32Array
    const length = own.length / rows
    for (let row = 0; row < rows; row++) data.set(own.subarray(row * length, (row + 1) * length), row * width + offset)
    offset += length
  }
  return data
}
