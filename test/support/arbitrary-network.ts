import fc from 'fast-check'
import { SinterError } from '../../src/base/errors.ts'
import { elementCount, isTensorType } from '../../src/base/shape.ts'
import { reshape, type Tensor } from '../../src/base/tensor.ts'
import { attribute } from '../../src/graph/attributes.ts'
import { edit, node } from '../../src/graph/edit.ts'
import { emptyGraph, type Graph, type Node, type Value } from '../../src/graph/graph.ts'
import { builder, type Ops } from '../../src/ops/build.ts'
import { infer, scopeOf } from '../../src/read/infer.ts'
import { type Made, Nothing, type Site } from './network-site.ts'
import { stepsByKind } from './network-steps.ts'

const step = fc.record({
  kind: fc.constantFrom(...Object.keys(stepsByKind)),
  /** Small numbers are simpler: they choose the newest value and the first form. */
  choices: fc.array(fc.nat(97), { minLength: 10, maxLength: 10 }),
})

const plan = fc.record({
  steps: fc.array(step, { minLength: 2, maxLength: 14, size: 'max' }),
  opset: fc.constantFrom(21, 18, 17, 13, 12, 11),
  batch: fc.constantFrom<number | string>(2, 'N', 1),
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

function networkOf({ steps, opset, batch, outputs, constants, copies, passThrough }: Plan): Graph {
  const inputs: Value[] = [
    { name: 'image', type: { dtype: 'float32', shape: [batch, 3, 5, 6] } },
    { name: 'rows', type: { dtype: 'float32', shape: [batch, 4] } },
    { name: 'vector', type: { dtype: 'float32', shape: [4] } },
  ]
  const empty: Graph = { ...emptyGraph('network'), inputs, opset: { '': opset } }
  const made: Made[] = []
  const graph = edit(
    empty,
    draft => {
      const op = builder(draft, scopeOf(empty, infer(empty)))
      for (const { name } of inputs) made.push(asMade(op, name, true)!)
      for (const { kind, choices } of steps) {
        let at = 0
        const below = (bound: number) => choices[at++ % choices.length]! % bound
        const site: Site = {
          op,
          draft,
          opset,
          below,
          value(fits = () => true) {
            const found = made.filter(fits)
            if (found.length === 0) throw new Nothing()
            return found[found.length - 1 - below(found.length)]!
          },
          make(ref, exact) {
            const value = asMade(op, ref, exact)
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
function asMade(op: Ops, ref: string, exact: boolean): Made | undefined {
  const type = op.type(ref)
  if (!isTensorType(type) || !type.shape) return undefined
  const { dtype, shape } = type
  if (shape.includes(0)) return undefined
  if (elementCount(shape.map(dim => (typeof dim === 'number' ? dim : 3))) > 5000 || shape.length > 6) return undefined
  return { ref, dtype, shape, exact }
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
    if (way === 'input' && value.dtype === 'float32')
      inputs.push({ name, type: { dtype: value.dtype, shape: value.shape } })
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
