import type { Tensor } from '../base/tensor.ts'
import type { Node } from '../graph/graph.ts'
import type { Ops, Ref } from '../ops/build.ts'
import type { InferredType } from '../ops/operator.ts'
import { type Matcher, type Pattern, type Vocabulary, vocabulary } from './pattern.ts'

/** A rule's answer that it leaves what it found alone, and why. */
export interface Decline {
  readonly declined: string
}

/** What a rule's replacement may use. */
export interface Tools {
  /** Builds new nodes. They come into the graph only if the rule does not decline afterwards. */
  readonly op: Ops
  /** Leaves what was found alone. Reasons are told to the user; '' says only that the pattern fits more than is looked for. */
  decline(reason: string): Decline
  /**
   * What is known of a value, small integer contents included. `op.type` and `op.shape` insist: where they cannot answer,
   * the rule declines.
   */
  type(ref: Ref): InferredType | undefined
  /** The contents of a value that never changes. */
  constant(ref: Ref): Tensor | undefined
  /** The node that makes a value; undefined for inputs, initializers, and what comes from around a body. */
  producer(ref: Ref): Node | undefined
  /** The nodes that read a value, in this body; those whose bodies read it are among them. */
  readers(ref: Ref): Iterable<Node>
  /** A node's attributes with defaults filled in. */
  attributes(node: Node): Readonly<Record<string, unknown>>
  /** How often a value is read, being an output of the graph counted too. */
  uses(ref: Ref): number
}

/** What stands in the place of the root's outputs; null for one that is not made (and that nothing may read). */
export type Replacement = Ref | readonly (Ref | null)[] | Decline

export interface RuleDefinition<C> {
  readonly name: string
  /** What to look for. The root is the last node of the pattern, whose outputs are replaced. */
  readonly match: (vocabulary: Vocabulary) => Pattern<C>
  /**
   * What to put there. One function decides and builds: it returns the values that replace the root's outputs (one for
   * the first alone), or declines with a reason. Nodes of the pattern that nothing else reads go by themselves.
   */
  replace(found: C, tools: Tools): Replacement
}

/** A rule whose captures' types are forgotten. */
export interface Rule {
  readonly name: string
  readonly matcher: Matcher
  replace(found: Readonly<Record<string, unknown>>, tools: Tools): Replacement
}

/** A rewrite rule: a pattern, and one function that replaces what it finds. */
export function rule<C>({ name, match, replace }: RuleDefinition<C>): Rule {
  return { name, matcher: match(vocabulary).matcher, replace: (found, tools) => replace(found as C, tools) }
}

export function isDecline(answer: Replacement): answer is Decline {
  return typeof answer === 'object' && 'declined' in answer
}
