import { isFloat } from '../base/dtype.ts'
import type { TensorType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { edit } from '../graph/edit.ts'
import { emptyGraph, type Graph, type Node } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { builder, type Ref } from '../ops/build.ts'
import { callOf } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import { isNo } from '../ops/operator.ts'
import { keyOf } from '../ops/spec.ts'
import { scopeOf } from '../read/infer.ts'
import { expand } from './expand.ts'

/** A point where a gradient rule offers several equivalent formulations. */
export interface FormQuestion {
  readonly node: Node
  /** What is computed, as the rule calls it. */
  readonly label: string
  readonly candidates: Readonly<Record<string, () => Ref>>
  type(name: string): TensorType
  constant(name: string): Tensor | undefined
}

export type FormChooser = (question: FormQuestion) => Ref

/** Takes each rule's first form: what its author measured to be best on the whole. Deterministic. */
export const firstForms: FormChooser = ({ candidates }) => Object.values(candidates)[0]!()

/** One choice: equal keys are the same computation on the same shapes. */
export interface FormChoice {
  readonly key: string
  readonly forms: readonly string[]
  /** The computation alone, in one form, as a graph whose inputs are the forward values and gradients it reads. */
  piece(form: string): Graph
}

/** Takes the preferred form of each key where there is one, and notes every choice met. */
export function preferForms(
  preferred: ReadonlyMap<string, string>,
  met: Map<string, FormChoice> = new Map(),
): FormChooser {
  return question => {
    const key = keyOfQuestion(question)
    const forms = Object.keys(question.candidates)
    if (forms.length > 1 && !met.has(key)) met.set(key, { key, forms, piece: form => pieceOf(question, form) })
    const name = preferred.get(key)
    return (question.candidates[name ?? ''] ?? question.candidates[forms[0]!]!)()
  }
}

function keyOfQuestion({ node, label, type }: FormQuestion): string {
  const attributes = Object.entries(node.attributes)
    .map(([name, { value }]) => `${name}=${value}`)
    .sort()
  const types = node.inputs.map(name => (name === '' ? '-' : `${type(name).dtype}[${type(name).shape}]`))
  return `${keyOf(node)} ${label} (${types.join(', ')}) ${attributes.join(' ')}`
}

function pieceOf({ node, label, type, constant }: FormQuestion, form: string): Graph {
  const inputs = new Set([...node.inputs, ...node.outputs].filter(name => name !== '' && !constant(name)))
  const constants = node.inputs.flatMap(name => (constant(name) ? [[name, constant(name)!] as const] : []))
  const isReal = (name: string) => name !== '' && isFloat(type(name).dtype)
  const gradientOf = (name: string) => (isReal(name) ? `d/${name}` : undefined)
  const types = new Map([
    ...[...inputs].map(name => [name, type(name)] as const),
    ...node.outputs.filter(isReal).map(name => [`d/${name}`, type(name)] as const),
  ])
  const start: Graph = {
    ...emptyGraph(`${node.op} ${label} as ${form}`),
    inputs: [...types].map(([name, t]) => ({ name, type: t })),
    initializers: new Map(constants),
  }
  const piece = edit(start, draft => {
    const scope = scopeOf(start, new Map([...types, ...constants.map(([name]) => [name, type(name)] as const)]))
    const op = builder(draft, scope)
    const rule = operatorOf(node)!.gradient
    if (isNo(rule)) return
    let result: Ref | undefined
    rule({
      node,
      attributes: callOf(node, scope).attributes,
      op,
      x: node.inputs,
      y: node.outputs,
      dy: node.outputs.map(gradientOf),
      needs: node.inputs.map(isReal),
      constant: i => scope.constant(node.inputs[i]!),
      choose(asked, candidates) {
        if (asked !== label) return firstForms({ node, label: asked, candidates, type, constant })
        return (result = candidates[form]!())
      },
    })
    if (result !== undefined) draft.outputs.push({ name: result, type: op.type(result) })
  })
  const { consumers } = view(piece)
  // What this form does not read would only cost time to feed.
  return expand({ ...piece, inputs: piece.inputs.filter(({ name }) => consumers(name).length > 0) })
}
