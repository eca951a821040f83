import type { Node } from '../graph/graph.ts'
import { readsOf } from '../graph/graph.ts'
import type { Ref } from '../ops/build.ts'
import type { Tools } from '../rewrite/rule.ts'

/**
 * The nodes that go when a node goes: itself, and above it those that nothing else reads. Values in `kept` are read by
 * what takes its place.
 */
export function dyingWith(
  root: Node,
  { producer, uses }: Pick<Tools, 'producer' | 'uses'>,
  kept: readonly Ref[] = [],
): ReadonlySet<Node> {
  const dying = new Set([root])
  const reads = new Map<Ref, number>()
  const open = [...readsOf(root)]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    reads.set(name, (reads.get(name) ?? 0) + 1)
    const node = producer(name)
    if (!node || dying.has(node)) continue
    const unread = node.outputs.every(
      output => output === '' || (uses(output) === (reads.get(output) ?? 0) && !kept.includes(output)),
    )
    if (!unread) continue
    dying.add(node)
    open.push(...readsOf(node))
  }
  return dying
}
