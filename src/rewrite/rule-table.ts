import { SinterError } from '../base/errors.ts'
import type { Node } from '../graph/graph.ts'
import { keyOf } from '../ops/spec.ts'
import { depthOf, type Matcher, type NodeMatcher, rootsOf } from './pattern.ts'
import type { Rule } from './rule.ts'

/** Rules by the operators that their patterns end in. */
export interface RuleTable {
  /** The rules that may apply at a node, each with the part of its pattern that has such a root. */
  rulesFor(node: Node): readonly Entry[]
  /** How far below a change a pattern may have its root. */
  readonly reach: number
}

export interface Entry {
  readonly rule: Rule
  readonly matchers: readonly NodeMatcher[]
}

const none: readonly Entry[] = []

/** @throws SinterError `invalid-argument` for a rule whose pattern ends in no node. */
export function ruleTable(rules: readonly Rule[]): RuleTable {
  const byRoot = new Map<string, Entry[]>()
  const anywhere: string[] = []
  for (const rule of rules) {
    const roots = rootsOf(rule.matcher)
    if (!roots) anywhere.push(rule.name)
    for (const root of roots ?? []) {
      const entry = { rule, matchers: rootMatchers(rule.matcher).filter(({ type }) => type === root) }
      const list = byRoot.get(root)
      if (list) list.push(entry)
      else byRoot.set(root, [entry])
    }
  }
  if (anywhere.length > 0) {
    const message = `The pattern of ${anywhere.join(', ')} must end in a node.`
    throw new SinterError('invalid-argument', message, { names: anywhere })
  }
  return {
    rulesFor: node => byRoot.get(keyOf(node)) ?? none,
    reach: Math.max(0, ...rules.map(({ matcher }) => depthOf(matcher) - 1)),
  }
}

/** The patterns that a root may fit, in order. */
function rootMatchers(matcher: Matcher): readonly NodeMatcher[] {
  if (matcher.kind === 'node') return [matcher]
  return matcher.kind === 'either' ? matcher.options.flatMap(rootMatchers) : []
}
