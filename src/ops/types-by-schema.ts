import type { DType } from '../base/dtype.ts'
import { isTensorType, type ValueType } from '../base/shape.ts'
import type { Node } from '../graph/graph.ts'
import type { InferredType } from './operator.ts'
import { typeLists } from './spec.generated.ts'
import { type OperatorSchema, type Parameter, schemaOf } from './spec.ts'

/**
 * The types of a node's outputs as far as its operator's schema alone tells: an element type where the schema allows but
 * one, or the same as of an input. Shapes stay unknown; where nothing follows, the type does.
 */
export function typesBySchema(
  node: Node,
  opset: number,
  inputTypes: readonly (ValueType | undefined)[],
): readonly (InferredType | undefined)[] {
  const schema = schemaOf(node, opset)
  if (!schema) return node.outputs.map(() => undefined)
  const bound = boundTypes(schema, inputTypes)
  return node.outputs.map((_, i) => {
    const [, , variable = '', mixed] = parameterAt(schema.outputs, i) ?? []
    const dtype = onlyType(schema, variable) ?? (mixed ? undefined : bound.get(variable))
    return dtype && { dtype, shape: undefined }
  })
}

/** What the inputs' types say that the schema's type variables stand for. */
function boundTypes(
  schema: OperatorSchema,
  inputTypes: readonly (ValueType | undefined)[],
): ReadonlyMap<string, DType> {
  const bound = new Map<string, DType>()
  inputTypes.forEach((type, i) => {
    const parameter = parameterAt(schema.inputs, i)
    // Those of a mixed list may each be of another type.
    if (parameter && parameter[3] === undefined && isTensorType(type)) bound.set(parameter[2], type.dtype)
  })
  return bound
}

function parameterAt(formal: readonly Parameter[], i: number): Parameter | undefined {
  return formal[i] ?? (formal.at(-1)?.[1] === 'variadic' ? formal.at(-1) : undefined)
}

const named: Readonly<Record<string, DType>> = { float: 'float32', double: 'float64' }

/** The one element type that a variable, or a type spelled out, can be. */
function onlyType(schema: OperatorSchema, variable: string): DType | undefined {
  const list = schema.types[variable]
  const allowed = list === undefined ? spelledOut(variable) : typeLists[list]!
  if (allowed.length !== 1 || allowed[0]!.includes('(')) return undefined
  return named[allowed[0]!] ?? (allowed[0] as DType)
}

function spelledOut(type: string): readonly string[] {
  const tensor = /^tensor\((\w+)\)$/.exec(type)
  return tensor ? [tensor[1]!] : []
}
