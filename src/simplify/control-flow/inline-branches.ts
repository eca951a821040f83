import { numbers, type Tensor } from '../../base/tensor.ts'
import { mapBodies, namesOf } from '../../graph/edit.ts'
import { freshNames } from '../../graph/fresh-names.ts'
import { type Body, bodiesOf, type Node } from '../../graph/graph.ts'
import { constantOf } from '../../ops/generate.ts'
import { keyOf } from '../../ops/spec.ts'
import { pass } from '../../rewrite/pass.ts'
import { definitions, type Inlined, inlineBody, withInlined } from './inline-body.ts'

/**
 * Puts in an If's place the branch that is taken, where its condition is a constant, or is the condition of an If around
 * it: inside of a branch that is decided.
 */
export const inlineBranches = pass('inline-branches', graph => {
  if (!hasIf(graph)) return graph
  const counts = definitions(graph)
  const fresh = freshNames(namesOf(graph))
  const names = { isFree: (name: string) => counts.get(name) === 1, fresh }
  const inputs = new Set(graph.inputs.map(({ name }) => name))
  return inlineIn(graph, names, name => (inputs.has(name) ? undefined : truthOf(graph.initializers.get(name))))
})

type Names = Parameters<typeof inlineBody>[3]
/** Whether a value is known to be true, or false. */
type Truth = (name: string) => boolean | undefined

function hasIf(body: Body): boolean {
  return body.nodes.some(node => keyOf(node) === 'If' || bodiesOf(node).some(hasIf))
}

function truthOf(value: Tensor | undefined): boolean | undefined {
  return value?.dtype === 'bool' && value.data.length === 1 ? numbers(value)[0] !== 0 : undefined
}

function inlineIn<B extends Body>(body: B, names: Names, around: Truth): B {
  const made = new Map<string, boolean>()
  const opposites = new Map<string, string>()
  const own = new Set(body.inputs.map(({ name }) => name))
  const truth: Truth = name => {
    if (own.has(name)) return undefined
    const known = made.get(name) ?? truthOf(body.initializers.get(name)) ?? around(name)
    const opposite = known === undefined ? opposites.get(name) : undefined
    const other = opposite === undefined ? undefined : truth(opposite)
    return known ?? (other === undefined ? undefined : !other)
  }
  const inlined: Inlined[] = []
  const nodes: Node[] = []
  let changed = false
  for (const node of body.nodes) {
    const constant = truthOf(constantOf(node))
    if (constant !== undefined) made.set(node.outputs[0]!, constant)
    if (keyOf(node) === 'Not') opposites.set(node.outputs[0]!, node.inputs[0]!)
    const known = keyOf(node) === 'If' ? truth(node.inputs[0]!) : undefined
    const branch = known === undefined ? undefined : node.attributes[known ? 'then_branch' : 'else_branch']
    if (branch?.type === 'graph') {
      const one = inlineBody(inlineIn(branch.value, names, truth), [], node.outputs, names)
      inlined.push(one)
      for (const inner of one.nodes) nodes.push(inner)
      changed = true
      continue
    }
    const inside = bodiesOf(node).length > 0 ? { ...node, attributes: decided(node, names, truth) } : node
    const same = inside.attributes === node.attributes
    nodes.push(same ? node : inside)
    changed ||= !same
  }
  return changed ? withInlined(body, nodes, inlined) : body
}

/** A node's bodies, in an If's of which its condition is known. */
function decided(node: Node, names: Names, truth: Truth): Node['attributes'] {
  const condition = keyOf(node) === 'If' ? node.inputs[0] : undefined
  const branches = [node.attributes.then_branch, node.attributes.else_branch]
  return mapBodies(node, inner =>
    inlineIn(inner, names, name => {
      if (name !== condition) return truth(name)
      const [then, otherwise] = branches
      if (then?.type === 'graph' && then.value === inner) return true
      return otherwise?.type === 'graph' && otherwise.value === inner ? false : undefined
    }),
  )
}
