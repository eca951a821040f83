import fc from 'fast-check'
import { type DType, isFloat } from '../../src/base/dtype.ts'
import { SinterError } from '../../src/base/errors.ts'
import { elementCount, isTensorType } from '../../src/base/shape.ts'
import { reshape, type Tensor } from '../../src/base/tensor.ts'
import { attribute } from '../../src/graph/attributes.ts'
import { edit, node } from '../../src/graph/edit.ts'
import { emptyGraph, type Graph, type Node, type Value } from '../../src/graph/graph.ts'
import { builder, type Ops } from '../../src/ops/build.ts'
import { infer, scopeOf } from '../../src/read/infer.ts'
import { type Made, Nothing, type Site } from './network-site.ts'
import { lacking, stepsByKind } from './network-steps.ts'

/** Element types, as often as networks of them are drawn, and ONNX's numbers of them. */
const dtypes = ['float32', 'float32', 'float32', 'float64', 'int32', 'int64'] as const
const codes = { float32: 1, float64: 11, int32: 6, int64: 7 }

const step = fc.record({
  kind: fc.constantFrom(...Object.keys(stepsByKind)),
  /** Small numbers are simpler: they choose the newest value and the first form. */
  choices: fc.array(fc.nat(97), { minLength: 10, maxLength: 10 }),
})

const plan = fc.record({
  dtype: fc.constantFrom(...dtypes),
  steps: fc.array(step, { minLength: 2, maxLength: 14, size: 'max' }),
  opset: fc.constantFrom(21, 18, 17, 13, 12, 11),
  batch: fc.constantFrom<number | string>(2, 'N', 1),
  /** Of the image: one that wider constants meet, or nobody knows how many. */
  channels: fc.constantFrom<number | string>(3, 3, 1, 'C'),
  outputs: fc.array(fc.nat(20), { maxLength: 3 }),
  /** How each initializer is written, in turn: as one, as one that can be fed, as a Constant node. */
  constants: fc.array(fc.constantFrom('initializer', 'initializer', 'input', 'node'), { minLength: 1, maxLength: 6 }),
  copies: fc.array(fc.nat(30), { maxLength: 3 }),
  passThrough: fc.nat(9),
})

type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never

/**
 * Sound graphs over many operators, with what real files have: dead code, duplicates, constants written in three ways,
 * symbolic batches, bodies that capture, outputs that are inputs.
 */
export const network: fc.Arbitrary<Graph> = plan.map(networkOf)

function networkOf({
  dtype,
  steps,
  opset: wanted,
  batch,
  channels,
  outputs,
  constants,
  copies,
  passThrough,
}: Plan): Graph {
  // Before, many operators took float32 alone.
  const opset = dtype === 'float32' ? wanted : Math.max(wanted, 13)
  const inputs: Value[] = [
    { name: 'image', type: { dtype, shape: [batch, channels, 5, 6] } },
    { name: 'rows', type: { dtype, shape: [batch, 4] } },
    { name: 'vector', type: { dtype, shape: [4] } },
  ]
  const empty: Graph = { ...emptyGraph('network'), inputs, opset: { '': opset } }
  const made: Made[] = []
  const graph = edit(
    empty,
    draft => {
      const op = builder(draft, scopeOf(empty, infer(empty)))
      const known = (ref: string, exact: boolean) => asMade(op, ref, exact, dtype)
      for (const { name } of inputs) made.push(known(name, true)!)
      for (const { kind, choices } of steps) {
        if (lacking[dtype]?.includes(kind)) continue
        let at = 0
        const below = (bound: number) => choices[at++ % choices.length]! % bound
        const site: Site = {
          op,
          draft,
          opset,
          dtype,
          cast: ref => op.Cast([ref], { to: codes[dtype] }),
          below,
          value(fits = () => true) {
            const found = made.filter(fits)
            if (found.length === 0) throw new Nothing()
            // Mostly the newest, so that steps come to stand on one another.
            return found[found.length - 1 - (below(3) > 0 ? below(found.length) : 0)]!
          },
          make(ref, exact) {
            const value = known(ref, exact)
            if (value) made.push(value)
          },
        }
        try {
          stepsByKind[kind]!(site)
        } catch (error) {
          // What does not fit is left out.
          if (!(error instanceof Nothing || error instanceof SinterError)) throw error
        }
      }
      const last = made.length - 1
      const chosen = new Set([made[last]!.ref, ...outputs.map(back => made[Math.max(3, last - back)]?.ref ?? '')])
      for (const name of chosen) if (name !== '') draft.outputs.push({ name, type: undefined })
      if (passThrough === 1) draft.outputs.push({ name: 'vector', type: undefined })
    },
    { keepUnused: true },
  )
  const dressed = copyNodes(writeConstants(graph, constants), copies)
  const unique = dressed.outputs.filter((value, i) => dressed.outputs.findIndex(o => o.name === value.name) === i)
  const types = infer(dressed)
  return { ...dressed, outputs: unique.map(({ name }) => ({ name, type: types.get(name) })) }
}

/** Values of unknown rank, empty ones and large ones are of no use to further steps. */
function asMade(op: Ops, ref: string, exact: boolean, own: DType): Made | undefined {
  const type = op.type(ref)
  if (!isTensorType(type) || !type.shape) return undefined
  const { dtype, shape } = type
  if (shape.includes(0)) return undefined
  if (elementCount(shape.map(dim => (typeof dim === 'number' ? dim : 3))) > 5000 || shape.length > 6) return undefined
  return { ref, dtype, shape, exact, own: dtype === own }
}

/** Some constants become inputs with a default, others Constant nodes. */
function writeConstants(graph: Graph, ways: Plan['constants']): Graph {
  const initializers = new Map<string, Tensor>()
  const inputs = [...graph.inputs]
  const nodes: Node[] = []
  const captured = new Set(graph.nodes.flatMap(({ attributes }) => Object.keys(attributes)))
  let turn = 0
  for (const [name, value] of graph.initializers) {
    const way = ways[turn++ % ways.length]!
    if (way === 'node' && !captured.has(name)) {
      nodes.push(node({ op: 'Constant', inputs: [], outputs: [name], attributes: { value: attribute.tensor(value) } }))
      continue
    }
    initializers.set(name, value)
    // Only what is computed with: shapes and axes that could be fed leave everything open.
    if (way === 'input' && isFloat(value.dtype)) inputs.push({ name, type: { dtype: value.dtype, shape: value.shape } })
  }
  return { ...graph, inputs, initializers, nodes: [...nodes, ...graph.nodes] }
}

/** Nodes that stand twice under different names, the second read by the first's readers that come last. */
function copyNodes(graph: Graph, places: readonly number[]): Graph {
  let nodes = [...graph.nodes]
  const initializers = new Map(graph.initializers)
  places.forEach((place, serial) => {
    const at = place % Math.max(1, nodes.length)
    const twin = nodes[at]
    if (!twin || Object.values(twin.attributes).some(({ type }) => type === 'graph')) return
    const suffix = `-copy${serial}`
    const renamed = new Map(twin.outputs.map(name => [name, `${name}${suffix}`]))
    // The same constant under another name, too.
    const inputs = twin.inputs.map(name => {
      const value = initializers.get(name)
      if (!value || graph.inputs.some(input => input.name === name)) return name
      initializers.set(`${name}${suffix}`, reshape(value, value.shape))
      return `${name}${suffix}`
    })
    const copy = {
      ...twin,
      name: `${twin.name}${suffix}`,
      inputs,
      outputs: twin.outputs.map(name => renamed.get(name)!),
    }
    const reader = nodes.findLastIndex((one, i) => i > at && one.inputs.some(name => renamed.has(name)))
    nodes = nodes.map((one, i) =>
      i === reader ? { ...one, inputs: one.inputs.map(name => renamed.get(name) ?? name) } : one,
    )
    nodes.splice(at + 1, 0, copy)
  })
  return { ...graph, nodes, initializers }
}
