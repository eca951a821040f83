import type { ValueType } from '../base/shape.ts'
import { freshNames } from '../graph/fresh-names.ts'
import { type Attribute, dialect, type Node } from '../graph/graph.ts'
import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from './generated/onnx_pb.ts'
import { domainOf, opsetOf } from './opset.ts'
import { invalid, quote, type Reading, unsupported } from './reading.ts'
import { decodeType } from './types.ts'
import { objectBudget } from './wire.ts'

/** What names mean at a place of the file. Outside of functions they are what they say. */
export interface Scope {
  /** The name that a value has in the graph being made. */
  value(name: string): string
  node(name: string): string
  /** The scope inside of a body that defines these names. */
  inside(defined: () => Iterable<string>): Scope
  /** What the function around was called with; undefined outside of functions. */
  readonly attributes: Readonly<Record<string, Attribute>> | undefined
  /** Refuses an operator that the function means in another version than the model. */
  admit(node: Node, where: string): void
}

export const topLevel: Scope = {
  value: name => name,
  node: name => name,
  inside: () => topLevel,
  attributes: undefined,
  admit: () => {},
}

/** Whether an operator means the same in two versions of its operator set. */
export type SameOperator = (node: Node, versionA: number, versionB: number) => boolean

/** How far inlining may go: functions that each call the next one twice would grow without end. */
const maxDepth = 100
const budget = objectBudget / 2

/** Names made from longer ones are cut in front. */
const maxName = 256

/** What the inliner needs of the decoder: how to decode a function's content, and where to note its values' types. */
export interface Contents {
  nodes(protos: readonly NodeProto[], where: string, scope: Scope): readonly Node[]
  attributes(protos: readonly AttributeProto[], where: string): Readonly<Record<string, Attribute>>
  readonly types: Map<string, ValueType>
}

interface LocalFunction {
  readonly key: string
  readonly proto: FunctionProto
  readonly where: string
  /** Bytes of memory that what it stands for takes, roughly. */
  readonly weight: number
}

/** Puts the functions of a model in the place of their calls. */
export class Inliner {
  /** The domains that hold functions. */
  readonly domains: ReadonlySet<string>
  private readonly reading: Reading
  private readonly functions: ReadonlyMap<string, LocalFunction>
  private readonly opset: Record<string, number>
  private readonly sameOperator: SameOperator
  private readonly taken = new Set<string>()
  private readonly unused = freshNames(this.taken)
  private readonly open: string[] = []
  private spent = 0

  /** `opset` is the model's, and gains the operator sets that only its functions import. */
  constructor(
    reading: Reading,
    functions: readonly Pick<LocalFunction, 'proto' | 'weight'>[],
    graph: GraphProto,
    opset: Record<string, number>,
    sameOperator: SameOperator,
  ) {
    this.reading = reading
    this.opset = opset
    this.sameOperator = sameOperator
    const byKey = new Map<string, LocalFunction>()
    functions.forEach(({ proto, weight }, i) => {
      const key = keyOf({ op: proto.name, domain: domainOf(proto.domain), overload: proto.overload })
      const where = `functions[${i}] ${quote(proto.name)}`
      if (byKey.has(key)) throw invalid(reading, where, 'is defined twice')
      byKey.set(key, { key, proto, where, weight })
    })
    this.functions = byKey
    this.domains = new Set(functions.map(({ proto }) => domainOf(proto.domain)))
    if (functions.length > 0) collectNames(graph, this.taken)
  }

  /** The nodes that a call stands for; the call itself where it calls no function of the model. */
  expand(call: Node, where: string, contents: Contents): readonly Node[] {
    const called = this.functions.get(keyOf(call))
    if (!called) return [call]
    if (this.open.includes(called.key)) throw invalid(this.reading, where, `calls ${called.where}, which calls itself`)
    if (this.open.length >= maxDepth)
      throw unsupported(this.reading, where, `is a call inside of ${maxDepth} others, deeper than Sinter follows`)
    this.open.push(called.key)
    const nodes = this.inline(call, called, where, contents)
    this.open.pop()
    return nodes
  }

  private inline(call: Node, called: LocalFunction, caller: string, contents: Contents): readonly Node[] {
    const { proto, where } = called
    this.spend(called.weight)
    const names = this.bindInputs(call, called, caller)
    const written = proto.node.flatMap(node => node.output).find(name => name !== '' && names.has(name))
    if (written !== undefined) throw invalid(this.reading, where, `writes to its own input ${quote(written)}`)
    const copies = this.bindOutputs(call, called, names, caller)

    const attributes = { ...contents.attributes(proto.attributeProto, where), ...call.attributes }
    const opset = opsetOf(proto.opsetImport)
    const scope = this.scope(names, call.name === '' ? proto.name : call.name, attributes, (node, at) =>
      this.admit(node, at, opset),
    )
    const nodes = [...contents.nodes(proto.node, where, scope), ...copies.map(([from, to]) => this.copy(from, to))]
    const formal = new Set([...proto.input, ...proto.output])
    for (const { name, type } of proto.valueInfo) {
      const actual = names.get(name)
      const known = decodeType(type)
      if (actual && known && !formal.has(name)) contents.types.set(actual, known)
    }
    return nodes
  }

  private bindInputs(call: Node, { proto, where }: LocalFunction, caller: string): Map<string, string> {
    if (call.inputs.length > proto.input.length || call.outputs.length > proto.output.length)
      throw invalid(this.reading, caller, `hands more values to ${where} than that takes or gives`)
    const names = new Map<string, string>([['', '']])
    proto.input.forEach((formal, i) => {
      if (names.has(formal)) throw invalid(this.reading, where, `has the input ${quote(formal)} twice`)
      names.set(formal, call.inputs[i] ?? '')
    })
    return names
  }

  /**
   * Gives the function's outputs the names that the caller has for them. An output that is an input too, or stands
   * twice, cannot take a second name: it is returned as a pair of what to copy and to where.
   */
  private bindOutputs(call: Node, { proto }: LocalFunction, names: Map<string, string>, caller: string) {
    const copies: (readonly [from: string, to: string])[] = []
    proto.output.forEach((formal, i) => {
      const actual = call.outputs[i] ?? ''
      if (actual === '') return
      const known = names.get(formal)
      if (known === '')
        throw invalid(this.reading, caller, `takes ${quote(actual)} from an input of the function that it leaves out`)
      if (known === undefined) names.set(formal, actual)
      else copies.push([known, actual])
    })
    return copies
  }

  private copy(from: string, to: string): Node {
    this.opset[''] ??= dialect
    return { op: 'Identity', domain: '', name: '', inputs: [from], outputs: [to], attributes: {} }
  }

  /** Names not bound yet are the function's own: they get the call's name in front. */
  private scope(
    names: Map<string, string>,
    prefix: string,
    attributes: Readonly<Record<string, Attribute>>,
    admit: Scope['admit'],
    outer?: Scope,
  ): Scope {
    const bind = (name: string): string => {
      const made = this.fresh(nameInside(prefix, name))
      names.set(name, made)
      return made
    }
    const scope: Scope = {
      value: name => names.get(name) ?? outer?.value(name) ?? bind(name),
      node: name => (name === '' ? '' : nameInside(prefix, name)),
      attributes,
      admit,
      inside: defined => {
        const inner = new Map([...new Set(defined())].map(name => [name, name && this.fresh(nameInside(prefix, name))]))
        return this.scope(inner, prefix, attributes, admit, scope)
      },
    }
    return scope
  }

  private admit(node: Node, where: string, opset: Readonly<Record<string, number>>): void {
    const wanted = opset[node.domain]
    if (wanted === undefined || this.functions.has(keyOf(node))) return
    const has = (this.opset[node.domain] ??= wanted)
    if (has !== wanted && !this.sameOperator(node, has, wanted)) {
      const set = node.domain === '' ? 'ai.onnx' : node.domain
      throw unsupported(
        this.reading,
        where,
        `means ${node.op} as version ${wanted} of ${set} has it, but the model imports version ${has}`,
      )
    }
  }

  private fresh(hint: string): string {
    this.spend(hint.length)
    return this.unused(hint)
  }

  private spend(weight: number): void {
    this.spent += weight
    if (this.spent > budget) {
      const problem = `take more than ${budget / 2 ** 20} MiB of memory once they are inlined, besides tensors`
      throw unsupported(this.reading, 'functions', problem)
    }
  }
}

/** A name of a function's own in the graph around. */
function nameInside(prefix: string, name: string): string {
  return `${prefix}/${name}`.slice(-maxName)
}

function keyOf({ op, domain, overload = '' }: Pick<Node, 'op' | 'domain' | 'overload'>): string {
  return JSON.stringify([domain, op, overload])
}

/** Every name of a value in a graph and the graphs inside of it. */
function collectNames(graph: GraphProto, into: Set<string>): void {
  for (const { name } of [...graph.input, ...graph.output, ...graph.initializer]) into.add(name)
  for (const { values } of graph.sparseInitializer) into.add(values?.name ?? '')
  for (const node of graph.node) {
    for (const name of [...node.input, ...node.output]) into.add(name)
    for (const { g, graphs } of node.attribute) {
      if (g) collectNames(g, into)
      for (const inner of graphs) collectNames(inner, into)
    }
  }
}
