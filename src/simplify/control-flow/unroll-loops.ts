import { int64s, numbers, scalar, type Tensor } from '../../base/tensor.ts'
import { mapBodies, namesOf, node as toNode } from '../../graph/edit.ts'
import { freshNames } from '../../graph/fresh-names.ts'
import { type Body, bodiesOf, type Node } from '../../graph/graph.ts'
import { constantOf } from '../../ops/generate.ts'
import { keyOf } from '../../ops/spec.ts'
import { type Pass, pass } from '../../rewrite/pass.ts'
import type { Settings } from '../settings.ts'
import { type Inlined, inlineBody, withInlined } from './inline-body.ts'

/**
 * Writes out a Loop's iterations where their number is a constant and no condition may end it before: none, one, or as
 * many as make no more than `maxUnrolled` nodes. An engine starts a body anew for each iteration, which takes longer than
 * a few nodes do.
 */
export const unrollLoops = ({ maxUnrolled }: Pick<Settings, 'maxUnrolled'>): Pass =>
  pass('unroll-loops', graph => {
    if (!hasLoop(graph)) return graph
    const inputs = new Set(graph.inputs.map(({ name }) => name))
    const constant: Constants = name => (inputs.has(name) ? undefined : graph.initializers.get(name))
    return unrollIn(graph, { maxUnrolled, fresh: freshNames(namesOf(graph)) }, constant)
  })

interface Tools {
  readonly maxUnrolled: number
  fresh(hint: string): string
}

type Constants = (name: string) => Tensor | undefined

function hasLoop(body: Body): boolean {
  return body.nodes.some(node => keyOf(node) === 'Loop' || bodiesOf(node).some(hasLoop))
}

function unrollIn<B extends Body>(body: B, tools: Tools, around: Constants): B {
  const inlined: Inlined[] = []
  const nodes: Node[] = []
  let changed = false
  const constant = within(body, around)
  for (const old of body.nodes) {
    const attributes =
      bodiesOf(old).length === 0 ? old.attributes : mapBodies(old, one => unrollIn(one, tools, constant))
    const node = attributes === old.attributes ? old : { ...old, attributes }
    const parts = keyOf(node) === 'Loop' ? unrolled(node, tools, constant) : undefined
    for (const part of parts ?? []) {
      inlined.push(part)
      for (const one of part.nodes) nodes.push(one)
    }
    if (!parts) nodes.push(node)
    changed ||= parts !== undefined || node !== old
  }
  return changed ? withInlined(body, nodes, inlined) : body
}

/** The constants that are seen in a body. */
function within(body: Body, around: Constants): Constants {
  const fed = new Set(body.inputs.map(({ name }) => name))
  const made = new Map(
    body.nodes.flatMap(node => (constantOf(node) ? [[node.outputs[0]!, constantOf(node)!] as const] : [])),
  )
  return name => (fed.has(name) ? undefined : (body.initializers.get(name) ?? made.get(name) ?? around(name)))
}

/** The iterations of a loop, in the loop's place; undefined where it stays a loop. */
function unrolled(node: Node, tools: Tools, constant: Constants): readonly Inlined[] | undefined {
  const { body } = node.attributes
  if (body?.type !== 'graph') return undefined
  const trips = tripsOf(node, body.value, constant)
  if (trips === undefined || (trips > 1 && trips * body.value.nodes.length > tools.maxUnrolled)) return undefined
  const start = node.inputs.slice(2)
  const collected = node.outputs.slice(start.length)
  // Of no iteration nothing is known but that there are none: not the shape of what it would have collected.
  if (trips === 0 && collected.some(name => name !== '')) return undefined
  const parts: Inlined[] = []
  const rows = collected.map((): string[] => [])
  let states = start
  const initializers = new Map<string, Tensor>()
  const add = (hint: string, value: Tensor) => {
    const name = tools.fresh(hint)
    initializers.set(name, value)
    return name
  }
  const holds = add('condition', scalar('bool', 1))
  for (let trip = 0; trip < trips; trip++) {
    const counter = add('iteration', scalar('int64', trip))
    const next = states.map(name => tools.fresh(name))
    const made = collected.map((name, i) => {
      if (name === '') return ''
      const row = tools.fresh(name)
      rows[i]!.push(row)
      return row
    })
    const names = { isFree: () => false, fresh: tools.fresh }
    parts.push(inlineBody(body.value, [counter, holds, ...states], ['', ...next, ...made], names))
    states = next
  }
  const axis = add('axis', int64s([0]))
  const results: Node[] = []
  states.forEach((name, i) => {
    const output = node.outputs[i]
    if (output) results.push(toNode({ op: 'Identity', inputs: [name], outputs: [output] }))
  })
  collected.forEach((output, i) => {
    if (output === '') return
    const whole = rows[i]!.map(row => {
      const made = tools.fresh(row)
      results.push(toNode({ op: 'Unsqueeze', inputs: [row, axis], outputs: [made] }))
      return made
    })
    const attributes = { axis: { type: 'int' as const, value: 0 } }
    results.push(toNode({ op: 'Concat', inputs: whole, outputs: [output], attributes }))
  })
  return [...parts, { nodes: results, initializers, sparseInitializers: new Map(), types: new Map() }]
}

/** How often a loop runs, whatever it is fed; undefined where that may differ. */
function tripsOf(node: Node, body: Body, constant: Constants): number | undefined {
  const [limit, start] = [node.inputs[0] ?? '', node.inputs[1] ?? '']
  const first = start === '' ? true : truth(constant(start))
  if (first === false) return 0
  const most = limit === '' ? undefined : constant(limit)
  if (first === undefined || most === undefined) return undefined
  const trips = Math.max(0, numbers(most)[0]!)
  const goesOn = continues(body, constant)
  return goesOn === true ? trips : goesOn === false ? Math.min(trips, 1) : undefined
}

function truth(value: Tensor | undefined): boolean | undefined {
  return value && numbers(value)[0] !== 0
}

/** Whether a body that was told to run tells to go on: true, false, or undefined where that is computed. */
function continues(body: Body, around: Constants): boolean | undefined {
  const constant = within(body, around)
  let name = body.outputs[0]!.name
  for (;;) {
    if (name === body.inputs[1]!.name) return true
    const known = truth(constant(name))
    if (known !== undefined) return known
    const maker = body.nodes.find(one => one.outputs.includes(name))
    if (!maker || keyOf(maker) !== 'Identity') return undefined
    name = maker.inputs[0]!
  }
}
