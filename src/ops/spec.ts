import { SinterError } from '../base/errors.ts'
import { type Attribute, describe, type Node } from '../graph/graph.ts'
import { type BlockedAttributesOf, blockedAttributeTypes } from './blocked-attributes.ts'
import { type AttributesOf as StandardAttributesOf, schemas } from './spec.generated.ts'

/** Attributes by operator, defaults filled in: the standard's, and those of the operators beside it. */
export interface AttributesOf extends StandardAttributesOf, BlockedAttributesOf {}

/** Operators by the name that records go by: `Conv`, and `domain.Name` outside of ai.onnx. */
export type OpName = keyof AttributesOf

/** A formal input or output: its name, how often it may stand, its type constraint ('T' or a concrete type). */
export type Parameter =
  | readonly [name: string, arity: Arity, type: string]
  | readonly [name: string, arity: Arity, type: string, mixed: string]
export type Arity = 'single' | 'optional' | 'variadic' | (string & {})

export interface AttributeSchema {
  readonly type: string
  readonly required?: boolean
  readonly default?: number | string | readonly number[] | readonly string[]
}

/** One version of an operator, as the standard has it. */
export interface OperatorSchema {
  readonly since: number
  readonly deprecated?: boolean
  /** It is no version of the standard's: onnxruntime alone knows it, under the standard's domain. */
  readonly engine?: boolean
  readonly inputs: readonly Parameter[]
  readonly outputs: readonly Parameter[]
  readonly minInputs: number
  readonly minOutputs: number
  readonly attributes: Readonly<Record<string, AttributeSchema>>
  /** Allowed types by constraint, as indices into `typeLists`. */
  readonly types: Readonly<Record<string, number>>
}

/** The name under which an operator's schema and record are kept. */
export function keyOf(node: { readonly op: string; readonly domain: string }): string {
  return node.domain === '' ? node.op : `${node.domain}.${node.op}`
}

/** The schema in force at an opset: the newest version not above it. undefined for operators the standard does not know. */
export function schemaOf(
  node: { readonly op: string; readonly domain: string },
  opset: number,
): OperatorSchema | undefined {
  return schemas[keyOf(node)]?.findLast(schema => schema.since <= opset)
}

/**
 * A node's attributes as plain values, with the standard's defaults filled in. 64-bit integers become numbers.
 * Attributes that the standard does not know are handed on as they are.
 */
export function attributesOf(node: Node, opset: number): Readonly<Record<string, unknown>> {
  const known = plainAttributes.get(node)
  if (known?.opset === opset) return known.values
  const values = filledIn(node, opset)
  plainAttributes.set(node, { opset, values })
  return values
}

const plainAttributes = new WeakMap<Node, { readonly opset: number; readonly values: Record<string, unknown> }>()

function filledIn(node: Node, opset: number): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  const schema = schemaOf(node, opset)
  for (const [name, { default: value }] of Object.entries(schema?.attributes ?? {})) {
    if (value !== undefined) values[name] = value
  }
  for (const [name, attribute] of Object.entries(node.attributes)) values[name] = plainValue(attribute)
  return values
}

function plainValue(attribute: Attribute): unknown {
  if (attribute.type === 'int') return Number(attribute.value)
  if (attribute.type === 'ints') return attribute.value.map(Number)
  return attribute.value
}

/** Plain values as a node's typed attributes; `undefined` is left out. */
export function toAttributes(
  op: OpName,
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, Attribute>> {
  const known = schemas[op]?.at(-1)?.attributes
  const typeOf = (name: string) => (known ? known[name]?.type : blockedAttributeTypes[name])
  const attributes: Record<string, Attribute> = {}
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    const type = isAttribute(value) ? undefined : (typeOf(name) ?? guess(value))
    attributes[name] = type === undefined ? (value as Attribute) : ({ type, value } as Attribute)
  }
  return attributes
}

function isAttribute(value: unknown): value is Attribute {
  return typeof value === 'object' && value !== null && 'type' in value && 'value' in value
}

function guess(value: unknown): Attribute['type'] {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  if (Array.isArray(value))
    return value.every(v => typeof v === 'string') ? 'strings' : value.every(Number.isInteger) ? 'ints' : 'floats'
  throw new SinterError('invalid-argument', `An attribute of type ${typeof value} needs its type: { type, value }.`)
}

/** Throws the refusal of a node that does not keep to its operator's rules. */
export function refuse(node: Node, why: string, details: Readonly<Record<string, unknown>> = {}): never {
  throw new SinterError('invalid-graph', `${describe(node)}: ${why}`, { node: node.name, op: keyOf(node), ...details })
}
