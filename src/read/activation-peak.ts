import { byteLength } from '../base/dtype.ts'
import { elementCount, isFixed, isTensorType, type ValueType } from '../base/shape.ts'
import { type Body, bodiesOf, type Node, readsOf } from '../graph/graph.ts'
import type { Scope } from '../ops/call.ts'

/** Bytes of a value in memory; undefined where its size is not known, or it is no tensor. */
export function bytesOfType(type: ValueType | undefined): number | undefined {
  if (!isTensorType(type) || !isFixed(type.shape) || type.dtype === 'string') return undefined
  return byteLength(type.dtype, elementCount(type.shape))
}

/** What a schedule takes at its peak. */
export interface ActivationPeak {
  /** Bytes of the values whose sizes are known. */
  readonly bytes: number
  /** The node at which that is; undefined in a body without nodes. */
  readonly node: Node | undefined
  /** Values whose size is not known, in bodies too: what they take is not in `bytes`. */
  readonly unsized: number
}

/**
 * The most bytes that a body's values take at any one time, if its nodes run in their order, each value is freed after its
 * last reader, and nothing is computed in place. Constants are not counted, nor is what the body captures: that is live
 * around it. A node's own bodies come on top of what is live at it; those without inputs (the branches of an If) make the
 * node's outputs, those with inputs (of a Loop or Scan) run while the outputs gather.
 * @param scopes the scopes inside of a node's bodies; bodies without one never run.
 */
export function activationPeak(
  body: Body,
  scope: Scope,
  scopes: (node: Node, around: Scope) => ReadonlyMap<Body, Scope>,
): ActivationPeak {
  const end = body.nodes.length
  const last = new Map<string, number>()
  body.nodes.forEach((node, i) => {
    for (const name of readsOf(node)) last.set(name, i)
    for (const name of node.outputs) last.set(name, i)
  })
  for (const { name } of body.outputs) last.set(name, end)
  const freed = new Map<number, number>()
  let live = 0
  let unsized = 0
  const hold = (name: string) => {
    if (name === '' || scope.constant(name) !== undefined) return
    const bytes = bytesOfType(scope.type(name))
    if (bytes === undefined) {
      unsized++
      return
    }
    const at = last.get(name) ?? end
    freed.set(at, (freed.get(at) ?? 0) + bytes)
    live += bytes
  }
  for (const { name } of body.inputs) hold(name)
  let peak = live
  let widest: Node | undefined
  const reach = (bytes: number, node: Node) => {
    if (bytes <= peak && widest) return
    peak = Math.max(peak, bytes)
    widest = node
  }
  body.nodes.forEach((node, i) => {
    const before = live
    for (const name of node.outputs) hold(name)
    if (bodiesOf(node).length > 0) {
      for (const [inner, within] of scopes(node, scope)) {
        const found = activationPeak(inner, within, scopes)
        unsized += found.unsized
        reach((inner.inputs.length === 0 ? before : live) + found.bytes, node)
      }
    }
    reach(live, node)
    live -= freed.get(i) ?? 0
  })
  return { bytes: peak, node: widest, unsized }
}
