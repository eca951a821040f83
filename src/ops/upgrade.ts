import { messageOf, SinterError } from '../base/errors.ts'
import { isTensorType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { node as makeNode } from '../graph/edit.ts'
import type { Node } from '../graph/graph.ts'
import { type BuildTarget, builder, type Ops, type Ref } from './build.ts'
import { asked, callOf, type Scope } from './call.ts'
import { operatorOf } from './index.ts'
import { nodeProblems } from './node-problems.ts'
import type { Upgrade } from './operator.ts'
import { schemaOf } from './spec.ts'

/** Where the constants that replacements need are put. */
export type Constants = Pick<BuildTarget, 'constant' | 'fresh'>

/** Nodes in a node's place, its outputs by the same names; or why there are none. */
export type UpgradedNode = { readonly nodes: readonly Node[] } | { readonly refused: string }

/**
 * Rewrites a node of an older opset to the form of version `to`: by the steps of its operator's record, one after the
 * other, each of which may make nodes that need further steps. A node whose form has not changed is returned itself.
 */
export function upgradeNode(given: Node, scope: Scope, to: number, constants: Constants): UpgradedNode {
  const from = scope.opset(given.domain)
  if (given.domain !== '' || from >= to || !schemaOf(given, from)) return { nodes: [given] }
  const node = from < 6 ? withoutHint(given) : given
  const step = operatorOf(node)?.upgrades.find(one => one.to > from && one.to <= to)
  if (step) {
    try {
      return applyStep(node, step, scope, to, constants)
    } catch (error) {
      // A rule that met a type which is not known; its message would not say so.
      return { refused: error instanceof TypeError ? 'the types of its inputs are not known' : messageOf(error) }
    }
  }
  if (!sameForm(node, from, to)) return { refused: `its form changed up to opset ${to}, and Sinter does not know how` }
  const [problem] = nodeProblems(node, { opset: to, type: () => undefined })
  return problem === undefined ? { nodes: [node] } : { refused: `as of opset ${to}, ${problem.message}` }
}

/** Up to opset 5 nodes could tell which of their inputs an engine may overwrite. */
function withoutHint(node: Node): Node {
  const { consumed_inputs: hint, ...attributes } = node.attributes
  return hint ? { ...node, attributes } : node
}

/**
 * Whether a node means the same in two versions of its operator set: where there is a record, it has no step between
 * them; otherwise inputs, outputs and attributes are the same in both, defaults too.
 */
export function sameForm(node: Node, a: number, b: number): boolean {
  const [older, newer] = a < b ? [a, b] : [b, a]
  const operator = operatorOf(node)
  if (operator) return !operator.upgrades.some(({ to }) => to > older && to <= newer)
  const form = (opset: number) => {
    const schema = schemaOf(node, opset)
    return schema && JSON.stringify([schema.inputs, schema.outputs, schema.attributes].map(withoutTypes))
  }
  return form(older) === form(newer)
}

/** Parameters by name and arity: which types they take says nothing of what is done with them. */
function withoutTypes(part: object): unknown {
  return Array.isArray(part) ? part.map(([name, arity]) => [name, arity]) : part
}

function applyStep(node: Node, step: Upgrade, around: Scope, to: number, constants: Constants): UpgradedNode {
  const emitted: Node[] = []
  const made = new Map<string, Tensor>()
  const target: BuildTarget = {
    add: one => emitted.push(makeNode(one)),
    fresh: hint => constants.fresh(hint),
    constant(hint, value) {
      const name = constants.constant(hint, value)
      made.set(name, value)
      return name
    },
  }
  const opset = (domain: string) => (domain === node.domain ? step.to : around.opset(domain))
  const scope: Scope = {
    ...around,
    opset,
    constant: name => made.get(name) ?? around.constant(name),
    // Bodies made by a step are of its opset, and what surrounds the node would read them in the old one.
    inferBody: body => body.outputs.map(({ type }) => type),
  }
  const op = builder(target, scope)
  const results = asked(node, () => step.apply(callOf(node, around), op, node.inputs))
  const nodes = named(emitted, node, results)
  const inner: Scope = { ...scope, type: name => typeFrom(op, name) ?? scope.type(name) }
  const upgraded: Node[] = []
  for (const one of nodes) {
    const next = upgradeNode(one, inner, to, constants)
    if ('refused' in next) return next
    upgraded.push(...next.nodes)
  }
  return { nodes: upgraded }
}

function typeFrom(op: Ops, name: string) {
  try {
    const type = op.type(name)
    return isTensorType(type) ? type : undefined
  } catch (error) {
    if (error instanceof SinterError) return undefined
    throw error
  }
}

/** The new nodes with the old one's output names, and its own name where there is but one. */
function named(emitted: readonly Node[], old: Node, results: readonly Ref[]): readonly Node[] {
  const names = new Map<Ref, string>()
  const copies: Node[] = []
  old.outputs.forEach((name, i) => {
    const result = results[i]
    if (name === '' || result === undefined) return
    if (names.has(result) || !emitted.some(one => one.outputs.includes(result))) {
      copies.push(makeNode({ op: 'Identity', name, inputs: [names.get(result) ?? result], outputs: [name] }))
    } else names.set(result, name)
  })
  const rename = (name: string) => names.get(name) ?? name
  const nodes = emitted.map((one, i) => ({
    ...one,
    name: i === emitted.length - 1 && copies.length === 0 ? old.name : one.name,
    inputs: one.inputs.map(rename),
    outputs: one.outputs.map(rename),
    ...(old.extra && i === emitted.length - 1 ? { extra: old.extra } : {}),
  }))
  return [...nodes, ...copies]
}
