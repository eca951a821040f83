import { isInteger } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { formatShape, isTensorType, type ValueType } from '../base/shape.ts'
import { scalar } from '../base/tensor.ts'
import { describe, type Node, readsOf } from '../graph/graph.ts'
import type { Ops, Ref } from '../ops/build.ts'
import { callOf, type Scope } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import { type Backward, type InferredType, isNo } from '../ops/operator.ts'
import { keyOf } from '../ops/spec.ts'
import { type FormChooser, firstForms } from './forms.ts'

export interface BackwardOptions {
  /** The forward nodes, in order. */
  readonly nodes: readonly Node[]
  /** Emits the backward nodes; knows the forward values' shapes, which must be fixed. */
  readonly op: Ops
  /** What is known around the nodes. */
  readonly scope: Scope
  /** Values to go back from, each with the gradient to start with; a rank-0 loss starts with 1. */
  readonly from: ReadonlyMap<Ref, Ref | 'one'>
  /** Values whose gradients are wanted. */
  readonly wrt: readonly Ref[]
  readonly forms?: FormChooser
}

/**
 * Reverse-mode differentiation: walks the nodes backwards and emits, by each operator's rule, nodes that compute the
 * gradient of the loss with respect to `wrt`. Gradients that meet are added; where the forward pass broadcast, they are
 * summed. A value that the loss does not depend on has no entry in the result.
 * @throws SinterError `not-differentiable` where an operator between `wrt` and the loss refuses, with its reason and, in
 *   `details.path`, the values on the way to it.
 */
export function backward({ nodes, op, scope, from, wrt, forms = firstForms }: BackwardOptions): ReadonlyMap<Ref, Ref> {
  const depends = new Set(wrt)
  for (const node of nodes) {
    if (readsOf(node).some(name => depends.has(name))) for (const name of node.outputs) depends.add(name)
  }
  const flowsFrom = (name: string) => depends.has(name) && carriesGradient(scope.type(name))
  const pending = new Map<Ref, Ref[]>()
  for (const [name, start] of from) {
    pending.set(name, [start === 'one' ? op.constant(scalar(op.type(name).dtype, 1), 'one') : start])
  }
  const total = (name: Ref): Ref | undefined => {
    const parts = pending.get(name)
    if (!parts) return undefined
    const sum = parts.length === 1 ? parts[0]! : parts.length === 2 ? op.Add(parts) : op.Sum(parts)
    pending.set(name, [sum])
    return sum
  }

  for (const node of nodes.toReversed()) {
    if (!node.outputs.some(name => pending.has(name) && depends.has(name))) continue
    const needs = node.inputs.map(name => name !== '' && flowsFrom(name))
    // A body may read a value that is not among the inputs: no rule follows it there.
    const captures = readsOf(node).some(name => !node.inputs.includes(name) && flowsFrom(name))
    if (!needs.includes(true) && !captures) continue
    const rule = operatorOf(node)?.gradient
    if (!rule || isNo(rule) || captures) {
      const why = !rule
        ? `Sinter knows no operator ${keyOf(node)}`
        : isNo(rule)
          ? rule.no
          : 'its body reads a value that the loss is differentiated by'
      throw refusal(node, why, pathTo(node, nodes, depends, new Set(wrt)))
    }
    const { attributes, constant } = callOf(node, scope)
    const at = op.within(`grad/${node.name || node.outputs[0]}/`)
    const call: Backward = {
      node,
      attributes,
      op: at,
      x: node.inputs,
      y: node.outputs,
      dy: node.outputs.map(name => (name === '' ? undefined : total(name))),
      needs,
      constant,
      choose: (label, candidates) =>
        forms({ node, label, candidates, type: name => op.type(name), constant: name => scope.constant(name) }),
    }
    const gradients = rule(call)
    node.inputs.forEach((name, i) => {
      const gradient = gradients[i]
      if (!needs[i] || gradient === null || gradient === undefined) return
      const fitted = unbroadcast(at, gradient, op.shape(name))
      const parts = pending.get(name)
      if (parts) parts.push(fitted)
      else pending.set(name, [fitted])
    })
  }
  return new Map(
    wrt.flatMap(name => {
      const gradient = total(name)
      return gradient === undefined ? [] : [[name, gradient] as const]
    }),
  )
}

/**
 * Whether a gradient can flow through values of a type: not through whole numbers, truths and texts. Of what is no tensor,
 * or not known, it is not ruled out, so that the operator has to answer.
 */
function carriesGradient(type: ValueType | InferredType | undefined): boolean {
  return !isTensorType(type) || !(isInteger(type.dtype) || type.dtype === 'bool' || type.dtype === 'string')
}

function refusal(node: Node, why: string, path: readonly Ref[]): SinterError {
  const advice = `It lies between '${path[0]}' and the loss: leave '${path[0]}' out of what is trained, or replace the node.`
  const details = { node: node.name, op: keyOf(node), why, path }
  return new SinterError('not-differentiable', `${describe(node)} has no gradient: ${why}. ${advice}`, details)
}

/** Values on a way from one of `wrt` to what a node makes. */
function pathTo(node: Node, nodes: readonly Node[], depends: ReadonlySet<Ref>, wrt: ReadonlySet<Ref>): readonly Ref[] {
  const producers = new Map(nodes.flatMap(one => one.outputs.map(name => [name, one] as const)))
  const path = [node.outputs.find(name => name !== '') ?? '']
  for (let at: Node | undefined = node; at; at = producers.get(path[0]!)) {
    const from = readsOf(at).filter(name => depends.has(name))
    path.unshift(from.find(name => wrt.has(name)) ?? from[0]!)
    if (wrt.has(path[0]!)) break
  }
  return path
}

/** Sums a gradient over the axes along which its value was broadcast, so that it has the value's shape. */
function unbroadcast(op: Ops, gradient: Ref, target: readonly number[]): Ref {
  const shape = op.shape(gradient)
  if (formatShape(shape) === formatShape(target)) return gradient
  const lead = shape.length - target.length
  if (lead < 0) return op.Expand([gradient, op.ints(target)])
  const axes = shape.flatMap((size, axis) => (axis < lead || (target[axis - lead] === 1 && size !== 1) ? [axis] : []))
  const summed = axes.length > 0 ? op.ReduceSum([gradient, op.ints(axes)], { keepdims: 1 }) : gradient
  const reduced = shape.flatMap((size, axis) => (axis < lead ? [] : axes.includes(axis) ? [1] : [size]))
  const reshaped = lead > 0 ? op.Reshape([summed, op.ints(reduced)]) : summed
  return formatShape(reduced) === formatShape(target) ? reshaped : op.Expand([reshaped, op.ints(target)])
}
