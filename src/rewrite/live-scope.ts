import type { ValueType } from '../base/shape.ts'
import type { Body, Graph, Node } from '../graph/graph.ts'
import { inferNode, type Scope } from '../ops/call.ts'
import { typeOfConstant } from '../ops/contents.ts'
import { scopeWithin } from '../read/infer.ts'
import type { Live } from './live.ts'

/** What is known of the values of a body while rules change it. */
export interface LiveScope extends Scope {
  /** What was thrown where the types of what was there could not be inferred: no rule is to blame for that. */
  readonly failure: unknown
  /** Takes note of a node that is new. */
  learn(node: Node): void
}

/**
 * A scope over a body being changed. What was there is inferred when a type is first asked for, which many rules never
 * do; what is added, is inferred on top of that.
 */
export function scopeOfLive(graph: Graph, now: Live, open: () => Scope): LiveScope {
  const learned = new Map<string, ValueType>()
  const unread: Node[] = []
  let base: Scope | undefined
  let failure: unknown
  function opened(): Scope {
    if (failure !== undefined) throw failure
    try {
      base ??= open()
      return base
    } catch (error) {
      failure = error
      throw error
    }
  }
  function type(name: string): ValueType | undefined {
    const known = learned.get(name) ?? base?.type(name)
    if (known !== undefined) return known
    // A constant that a rule has made.
    const value = now.constant(name)
    if (value) learned.set(name, typeOfConstant(value))
    return learned.get(name)
  }
  const scope: LiveScope = {
    get failure() {
      return failure
    },
    opset: domain => graph.opset[domain] ?? 1,
    type(name) {
      opened()
      for (const node of unread.splice(0)) {
        if (node.outputs.every(output => type(output) !== undefined)) continue
        inferNode(node, scope).forEach((found, i) => {
          const output = node.outputs[i]
          if (found && output && type(output) === undefined) learned.set(output, found)
        })
      }
      return type(name)
    },
    constant: now.constant,
    inferBody: (body, inputs) => opened().inferBody(body, inputs),
    learn: node => void unread.push(node),
  }
  return scope
}

/** Scopes of a node's bodies: the operator itself says, while its outputs are inferred, what its bodies are given. */
export function scopesInside(graph: Graph, node: Node, around: Scope): (body: Body) => Scope {
  let scopes: Map<Body, Scope> | undefined
  return body => {
    if (!scopes) {
      const noted = new Map<Body, Scope>()
      inferNode(node, {
        ...around,
        inferBody(inner, inputs) {
          const scope = scopeWithin(graph, inner, inputs, around)
          noted.set(inner, scope)
          return inner.outputs.map(({ name }) => scope.type(name))
        },
      })
      scopes = noted
    }
    return scopes.get(body) ?? scopeWithin(graph, body, [], around)
  }
}
