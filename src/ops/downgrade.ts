import { numbers, type Tensor } from '../base/tensor.ts'
import type { Attribute, Node } from '../graph/graph.ts'
import { callOf, type Scope } from './call.ts'
import { operatorOf } from './index.ts'
import { nodeProblems } from './node-problems.ts'
import { schemas } from './spec.generated.ts'
import { attributesOf, keyOf, schemaOf } from './spec.ts'
import { sameForm, upgradeNode } from './upgrade.ts'

/** A node in its older form, or why there is none. */
export type DowngradedNode = { readonly node: Node } | { readonly refused: string }

/**
 * A node as an older opset has it. The standard turned attributes into inputs of the same name; constants among these turn
 * back, and attributes that are not known yet are left out. Whether that means the same is not left to chance: the older
 * node, upgraded again by its operator's record, must be the one given.
 */
export function downgradeNode(given: Node, scope: Scope, to: number): DowngradedNode {
  const from = scope.opset(given.domain)
  const schema = schemaOf(given, from)
  if (given.domain !== '' || from <= to || !schema) return { node: given }
  // An engine may know an operator of the standard from before the standard had it; other engines do not.
  const then = schemaOf(given, to)
  if (!then || (then.engine && !schema.engine)) return { refused: `ONNX has it since opset ${firstOf(given)}` }
  const node = withoutMoot(given, scope, to)
  const older = sameForm(node, from, to) ? withoutDefaults(node, from, to) : olderForm(node, scope, from, to)
  if (!older) return { refused: `its form in opset ${to} is another` }
  const [problem] = nodeProblems(older, { opset: to, type: scope.type })
  if (problem) return { refused: `its form in opset ${to} is another (${problem.message})` }
  return older === node || sameForm(node, from, to) || returns(older, node, scope, from, to)
    ? { node: older }
    : { refused: `its form in opset ${to} is another` }
}

/** The opset that brought an operator. */
function firstOf(node: Node): number | undefined {
  return schemas[keyOf(node)]?.find(({ engine }) => !engine)?.since
}

/** Attributes that the older opset does not know and that make no difference here. */
function withoutMoot(node: Node, scope: Scope, to: number): Node {
  const older = schemaOf(node, to)
  const moot = operatorOf(node)?.moot(callOf(node, scope)) ?? []
  const dropped = moot.filter(name => node.attributes[name] && !older?.attributes[name])
  return dropped.length === 0 ? node : withAttributes(node, {}, dropped)
}

/** Attributes that say what the older opset takes for granted need not be said, and could not be. */
function withoutDefaults(node: Node, from: number, to: number): Node {
  const [newer, older] = [schemaOf(node, from), schemaOf(node, to)]
  const superfluous = Object.entries(node.attributes).filter(([name, attribute]) => {
    const standard = newer?.attributes[name]?.default
    return older && !older.attributes[name] && standard !== undefined && isDefault(attribute, standard)
  })
  return superfluous.length === 0
    ? node
    : withAttributes(
        node,
        {},
        superfluous.map(([name]) => name),
      )
}

/** Constants that were attributes as attributes again. */
function olderForm(node: Node, scope: Scope, from: number, to: number): Node | undefined {
  const [newer, older] = [schemaOf(node, from), schemaOf(node, to)]
  if (!newer || !older) return undefined
  const added: Record<string, Attribute> = {}
  const inputs: string[] = []
  for (const [i, input] of node.inputs.entries()) {
    const name = newer.inputs[Math.min(i, newer.inputs.length - 1)]?.[0] ?? ''
    const schema = older.attributes[name]
    if (!schema || older.inputs.some(([known]) => known === name)) {
      inputs.push(input)
      continue
    }
    if (input === '') continue
    const value = scope.constant(input)
    const attribute = value && attributeOf(value, schema.type)
    if (!attribute) return undefined
    added[name] = attribute
  }
  while (inputs.at(-1) === '') inputs.pop()
  const unknown = Object.keys(node.attributes).filter(name => !older.attributes[name])
  return { ...withAttributes(node, added, unknown), inputs }
}

function withAttributes(node: Node, added: Readonly<Record<string, Attribute>>, dropped: readonly string[]): Node {
  const kept = Object.entries(node.attributes).filter(([name]) => !dropped.includes(name))
  return { ...node, attributes: { ...Object.fromEntries(kept), ...added } }
}

function attributeOf(value: Tensor, type: string): Attribute | undefined {
  if (value.dtype === 'string') return undefined
  const list = Array.from(numbers(value))
  if (type === 'ints' || type === 'floats') return { type, value: list }
  if ((type === 'int' || type === 'float') && list.length === 1) return { type, value: list[0]! }
  return undefined
}

/** Whether the older node, upgraded, is the newer one again: operator, attributes, and what it reads. */
function returns(older: Node, newer: Node, scope: Scope, from: number, to: number): boolean {
  const made = new Map<string, Tensor>()
  let count = 0
  const fresh = (hint: string) => `${hint}/${++count}/again`
  const constants = {
    fresh,
    constant(hint: string, value: Tensor) {
      const name = fresh(hint)
      made.set(name, value)
      return name
    },
  }
  const around: Scope = { ...scope, opset: domain => (domain === '' ? to : scope.opset(domain)) }
  const result = upgradeNode(older, around, from, constants)
  if ('refused' in result || result.nodes.length !== 1) return false
  const [again] = result.nodes as [Node]
  const length = Math.max(again.inputs.length, newer.inputs.length)
  return (
    again.op === newer.op &&
    JSON.stringify(sorted(attributesOf(again, from))) === JSON.stringify(sorted(attributesOf(newer, from))) &&
    again.outputs.every((name, i) => name === newer.outputs[i]) &&
    Array.from({ length }, (_, i) => i).every(i => {
      const [a, b] = [again.inputs[i] ?? '', newer.inputs[i] ?? '']
      if (a === b) return true
      const [x, y] = [made.get(a) ?? scope.constant(a), scope.constant(b)]
      return x !== undefined && y !== undefined && sameNumbers(x, y)
    })
  )
}

function sorted(attributes: Readonly<Record<string, unknown>>): unknown {
  return Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))
}

function sameNumbers(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || a.dtype === 'string' || a.shape.join() !== b.shape.join()) return false
  const [x, y] = [numbers(a), numbers(b)]
  return x.length === y.length && Array.prototype.every.call(x, (value: number, i: number) => Object.is(value, y[i]))
}

function isDefault(attribute: Attribute, standard: unknown): boolean {
  const { value } = attribute
  const plain = typeof value === 'bigint' ? Number(value) : Array.isArray(value) ? value.map(Number) : value
  return JSON.stringify(plain) === JSON.stringify(standard)
}
