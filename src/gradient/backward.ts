import { isFloat } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { formatShape, isTensorType } from '../base/shape.ts'
import { scalar } from '../base/tensor.ts'
import { describe, type Node } from '../graph/graph.ts'
import type { Ops, Ref } from '../ops/build.ts'
import { callOf, type Scope } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import { type Backward, isNo } from '../ops/operator.ts'
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
 * @throws SinterError `not-differentiable` where an operator between `wrt` and the loss refuses, with its reason.
 */
export function backward({ nodes, op, scope, from, wrt, forms = firstForms }: BackwardOptions): ReadonlyMap<Ref, Ref> {
  const depends = new Set(wrt)
  for (const node of nodes) {
    if (node.inputs.some(name => depends.has(name))) for (const name of node.outputs) depends.add(name)
  }
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
    const needs = node.inputs.map(name => depends.has(name) && differentiable(scope, name))
    if (!needs.includes(true)) continue
    const rule = operatorOf(node)?.gradient
    if (!rule || isNo(rule)) {
      const why = rule ? rule.no : `Sinter knows no operator ${keyOf(node)}`
      throw new SinterError('not-differentiable', `${describe(node)} has no gradient: ${why}.`, {
        node: node.name,
        op: keyOf(node),
        why,
      })
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

function differentiable(scope: Scope, name: string): boolean {
  const type = scope.type(name)
  return isTensorType(type) && isFloat(type.dtype)
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
