import { isTensorType, type ValueType } from '../base/shape.ts'
import type { Node } from '../graph/graph.ts'
import { schemas, typeLists } from './spec.generated.ts'
import { keyOf, type OperatorSchema, type Parameter, schemaOf } from './spec.ts'

/** What is known of a node's surroundings; types that are not known are not checked. */
export interface Surroundings {
  readonly opset: number
  type(name: string): ValueType | undefined
}

/** How a node breaks its operator's rules. */
export interface NodeProblem {
  readonly code: 'unknown-operator' | 'deprecated-operator' | 'wrong-arity' | 'wrong-attribute' | 'wrong-type'
  /** A clause about the node: "its attribute 'axis' is missing". */
  readonly message: string
}

/**
 * How a node breaks its operator's rules in the standard. Operators of other domains than the standard's have no rules
 * here.
 */
export function nodeProblems(node: Node, { opset, type }: Surroundings): readonly NodeProblem[] {
  const versions = schemas[keyOf(node)]
  const found = (code: NodeProblem['code'], messages: readonly string[]) => messages.map(message => ({ code, message }))
  if (!versions) {
    return node.domain === '' ? found('unknown-operator', [`ONNX has no operator '${node.op}'`]) : []
  }
  const schema = schemaOf(node, opset)
  if (!schema) {
    return found('unknown-operator', [`it exists since opset ${versions[0]!.since}, and the graph's is ${opset}`])
  }
  // One that came back in another form (GroupNormalization) goes on being run in the form that it had.
  if (schema.deprecated && versions.at(-1)!.deprecated)
    return found('deprecated-operator', [`it is gone since opset ${schema.since}`])
  return [
    ...found('wrong-arity', arityProblems('input', node.inputs, schema.inputs, schema.minInputs)),
    ...found('wrong-arity', arityProblems('output', node.outputs, schema.outputs, schema.minOutputs)),
    ...found('wrong-attribute', attributeProblems(node, schema)),
    ...found('wrong-type', typeProblems(node, schema, type)),
  ]
}

function arityProblems(side: string, names: readonly string[], formal: readonly Parameter[], least: number): string[] {
  const problems: string[] = []
  const variadic = formal.at(-1)?.[1] === 'variadic'
  if (names.length > formal.length && !variadic)
    problems.push(`it has ${names.length} ${side}s, at most ${formal.length} are allowed`)
  if (names.length < least) problems.push(`it has ${names.length} ${side}s, at least ${least} are needed`)
  names.forEach((name, i) => {
    const parameter = formal[Math.min(i, formal.length - 1)]
    const needed = parameter?.[1] === 'single' || parameter?.[1] === 'variadic'
    if (name === '' && side === 'input' && needed) problems.push(`its input '${parameter[0]}' is left out`)
  })
  return problems
}

function attributeProblems(node: Node, schema: OperatorSchema): string[] {
  const problems: string[] = []
  for (const [name, { type }] of Object.entries(node.attributes)) {
    const known = schema.attributes[name]
    if (!known) problems.push(`its attribute '${name}' is unknown to it as of opset ${schema.since}`)
    else if (known.type !== type && !(type === 'bytes' && known.type === 'string')) {
      problems.push(`its attribute '${name}' is of type ${type}, ${known.type} is needed`)
    }
  }
  for (const [name, { required }] of Object.entries(schema.attributes)) {
    if (required && !node.attributes[name]) problems.push(`its attribute '${name}' is missing`)
  }
  return problems
}

/** Each type variable stands for one type that the schema allows. */
function typeProblems(node: Node, schema: OperatorSchema, type: Surroundings['type']): string[] {
  const problems: string[] = []
  const chosen = new Map<string, string>()
  const refused = new Set<string>()
  const visit = (side: string, names: readonly string[], formal: readonly Parameter[]) => {
    names.forEach((name, i) => {
      const parameter = formal[Math.min(i, formal.length - 1)]
      const found = name === '' ? undefined : type(name)
      if (!parameter || !isTensorType(found)) return
      const [formalName, , variable, mixed] = parameter
      const list = schema.types[variable]
      const allowed = list === undefined ? [variable.replace(/^tensor\((.*)\)$/, '$1')] : typeLists[list]!
      const what = `its ${side} '${formalName}'`
      if (!allowed.some(one => sameType(one, found.dtype))) {
        // What comes out is of the wrong type because what goes in is.
        if (refused.has(variable)) return
        refused.add(variable)
        problems.push(`${what} is of type ${found.dtype}, allowed are ${allowed.join(', ')}`)
      } else if (list !== undefined && !mixed) {
        const first = chosen.get(variable) ?? found.dtype
        chosen.set(variable, first)
        if (first !== found.dtype)
          problems.push(`${what} is of type ${found.dtype}, another of the same type is ${first}`)
      }
    })
  }
  visit('input', node.inputs, schema.inputs)
  visit('output', node.outputs, schema.outputs)
  return problems
}

const aliases: Readonly<Record<string, string>> = { float: 'float32', double: 'float64' }

function sameType(allowed: string, dtype: string): boolean {
  return (aliases[allowed] ?? allowed) === dtype
}
