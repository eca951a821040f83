import { SinterError } from '../base/errors.ts'
import { contradict, formatType, isTensorType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { type NewNode, node as toNode } from '../graph/edit.ts'
import type { Node } from '../graph/graph.ts'
import { builder, type Ops } from '../ops/build.ts'
import { hasKernel } from '../ops/kernels.ts'
import { keyOf } from '../ops/spec.ts'
import type { Live, Made, Refusal } from './live.ts'
import type { LiveScope } from './live-scope.ts'
import type { Surroundings } from './match.ts'
import { isDecline, type Rule, type Tools } from './rule.ts'

/** The metadata entry of a node that names the rule it comes from. */
export const ruleKey = 'sinter.rule'

/** Lets a rule build what is to replace a root aside, so that nothing has happened yet if it declines. */
export type Workshop = (rule: Rule, found: Readonly<Record<string, unknown>>, root: Node) => Made | Refusal

/** The workshop of a body: its tools are the same for all rules, what they make is put together anew for each. */
export function workshopOf(
  { attributes }: Surroundings,
  now: Live,
  scope: LiveScope,
  fresh: (hint: string) => string,
): Workshop {
  let nodes: Node[] = []
  let constants = new Map<string, Tensor>()
  let name = ''
  let op: Ops | undefined
  const known = (ref: string) => (op ? op.known(ref) : scope.type(ref))
  const target = {
    add(made: NewNode) {
      const node = toNode(made)
      const type = known(node.inputs[0] ?? '')
      if (isTensorType(type) && !hasKernel(keyOf(node), type.dtype)) {
        throw new SinterError('not-supported', `the engine has no ${node.op} of ${type.dtype}`, { op: node.op })
      }
      nodes.push({ ...node, extra: { metadata: { [ruleKey]: name } } })
    },
    constant(hint: string, value: Tensor) {
      const given = fresh(hint)
      constants.set(given, value)
      return given
    },
    fresh,
  }
  const tools: Tools = {
    get op() {
      op ??= builder(target, scope)
      return op
    },
    decline: reason => ({ declined: reason }),
    type(ref) {
      const known = scope.type(ref)
      return isTensorType(known) ? known : undefined
    },
    uses: now.uses,
    constant: now.constant,
    producer: now.producer,
    readers: now.readers,
    attributes,
  }
  return (rule, found, root) => {
    if (nodes.length > 0) nodes = []
    if (constants.size > 0) constants = new Map()
    op = undefined
    name = rule.name
    try {
      const answer = rule.replace(found, tools)
      if (isDecline(answer)) return { refused: answer.declined }
      const results = typeof answer === 'string' ? [answer] : answer
      for (const [i, output] of root.outputs.entries()) {
        const result = results[i]
        if (output === '' || !result || result === output) continue
        const [before, after] = [scope.type(output), known(result)]
        if (contradict(before, after))
          return { refused: `'${output}' is ${formatType(before)}, and ${formatType(after)} would stand for it` }
      }
      return { nodes, constants, results }
    } catch (error) {
      if (!(error instanceof SinterError) || error === scope.failure) throw error
      // A rule that asks for what is not known (a fixed shape, a type) declines by asking; what it may not build is its fault.
      return error.code === 'not-supported' ? { refused: error.message } : { refused: error.message, failed: true }
    }
  }
}
