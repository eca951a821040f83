import { messageOf, SinterError } from '../base/errors.ts'
import { brokenGraph, check as checkStructure, type Problem as StructuralProblem } from '../graph/check.ts'
import { type Body, bodiesOf, describe, type Graph, namedBodiesOf } from '../graph/graph.ts'
import type { Scope } from '../ops/call.ts'
import { type NodeProblem, nodeProblems } from '../ops/node-problems.ts'
import { newestOpset } from '../ops/spec.generated.ts'
import { infer, scopeInside, scopeOf } from './infer.ts'

/** What can be wrong with a graph: with its structure, with a node by its operator's rules, or with its opsets. */
export type ProblemCode =
  | StructuralProblem['code']
  | NodeProblem['code']
  | 'missing-opset' // a node of a domain whose version the graph does not state
  | 'unknown-opset' // newer than Sinter's schemas, or not a version
  | 'wrong-shape' // inputs that do not fit an operator

export interface Problem extends Omit<StructuralProblem, 'code'> {
  readonly code: ProblemCode
}

/**
 * What is wrong with a graph and the bodies inside of it, as data; empty if nothing is. Beside the structure (see
 * `graph/check`) it looks at each node by the rules of its operator in the standard: number of inputs and outputs,
 * attributes, element types as far as they are known, and shapes. Operators of domains that Sinter has no schemas of are
 * taken as they are.
 */
export function check(graph: Graph): readonly Problem[] {
  const structural = checkStructure(graph)
  if (structural.some(({ code }) => code === 'deep-nesting')) return structural
  const problems: Problem[] = [...structural, ...opsetProblems(graph)]
  const { scope, problem } = scopeIfSound(graph, structural.length > 0)
  checkBody(graph, graph, scope, [], problems)
  // Shapes that do not fit are the least of it where a node breaks its operator's rules.
  if (problem && problems.length === 0) problems.push(problem)
  return problems
}

/**
 * @throws SinterError `invalid-graph` if anything is wrong with the graph; `details.problems` lists it.
 */
export function assertValid(graph: Graph): void {
  const problems = check(graph)
  if (problems.length > 0) throw brokenGraph(graph.name, problems)
}

function opsetProblems(graph: Graph): Problem[] {
  const report = (code: ProblemCode, message: string): Problem => ({ code, message, where: { body: [] } })
  const used = new Set(domainsOf(graph))
  const missing = [...used].filter(domain => graph.opset[domain] === undefined)
  const version = graph.opset['']
  return [
    ...missing.map(domain =>
      report('missing-opset', `The graph states no opset for the domain '${domain || 'ai.onnx'}'.`),
    ),
    ...(version !== undefined && !(Number.isInteger(version) && version >= 1 && version <= newestOpset)
      ? [report('unknown-opset', `Opset ${version} is not one of 1 to ${newestOpset}, which Sinter knows.`)]
      : []),
  ]
}

function domainsOf(body: Body): string[] {
  return body.nodes.flatMap(node => [node.domain, ...bodiesOf(node).flatMap(domainsOf)])
}

/** Types are inferred only in graphs that hang together; what then does not fit is a problem of its own. */
function scopeIfSound(graph: Graph, broken: boolean): { readonly scope: Scope; readonly problem?: Problem } {
  const stated = new Map([...graph.inputs, ...graph.outputs].flatMap(({ name, type }) => (type ? [[name, type]] : [])))
  if (broken) return { scope: scopeOf(graph, stated) }
  try {
    return { scope: scopeOf(graph, infer(graph)) }
  } catch (error) {
    if (!(error instanceof SinterError)) throw error
    return {
      scope: scopeOf(graph, stated),
      problem: { code: 'wrong-shape', message: messageOf(error), where: { body: [] } },
    }
  }
}

function checkBody(body: Body, graph: Graph, scope: Scope, path: readonly string[], problems: Problem[]): void {
  body.nodes.forEach((node, index) => {
    const known = { opset: scope.opset(node.domain), type: scope.type }
    for (const { code, message } of nodeProblems(node, known)) {
      const place = path.length > 0 ? `In ${path.join(', ')}: ` : ''
      problems.push({
        code,
        message: `${place}${describe(node)}: ${message}.`,
        where: { body: path, node: describe(node), index },
      })
    }
    for (const [name, inner] of namedBodiesOf(node)) {
      checkBody(inner, graph, scopeInside(graph, inner, scope), [...path, `${describe(node)} ${name}`], problems)
    }
  })
}
