import type { Arity, AttributeSchema, OperatorSchema, Parameter } from './spec.ts'

/**
 * One version of an operator as the generated file has it, in JSON. Inputs and outputs read `name:type`, marked before the
 * colon by `?` if optional, `*` if variadic and `**` if variadic of mixed types; attributes `"int"`, `"int!"` if required,
 * `["int", 0]` with a default. `least` says how many inputs and outputs there must be, where it is not as many as are
 * unmarked. `engine` marks what onnxruntime alone knows under the standard's domain.
 */
interface Row {
  readonly since: number
  readonly deprecated?: boolean
  readonly engine?: boolean
  readonly inputs?: readonly string[]
  readonly outputs?: readonly string[]
  readonly least?: readonly [inputs: number, outputs: number]
  readonly attributes?: Readonly<Record<string, string | readonly [string, NonNullable<AttributeSchema['default']>]>>
  readonly types?: Readonly<Record<string, number>>
}

type Schemas = Readonly<Record<string, readonly OperatorSchema[]>>

/** Schemas by operator. Each is read from its rows when it is first asked for: few models need more than a few dozen. */
export function schemasFrom(rows: Readonly<Record<string, readonly string[]>>): Schemas {
  const schemas: Record<string, readonly OperatorSchema[]> = {}
  for (const key of Object.keys(rows)) {
    Object.defineProperty(schemas, key, {
      enumerable: true,
      configurable: true,
      get() {
        const value = rows[key]!.map(schemaFrom)
        Object.defineProperty(schemas, key, { enumerable: true, value })
        return value
      },
    })
  }
  return schemas
}

function schemaFrom(text: string): OperatorSchema {
  const {
    since,
    deprecated,
    engine,
    inputs = [],
    outputs = [],
    least,
    attributes = {},
    types = {},
  } = JSON.parse(text) as Row
  const sides = [inputs.map(parameterFrom), outputs.map(parameterFrom)] as const
  const [minInputs, minOutputs] = least ?? sides.map(needed)
  return {
    since,
    ...(deprecated && { deprecated }),
    ...(engine && { engine }),
    inputs: sides[0],
    outputs: sides[1],
    minInputs: minInputs!,
    minOutputs: minOutputs!,
    attributes: Object.fromEntries(Object.entries(attributes).map(([name, row]) => [name, attributeFrom(row)])),
    types,
  }
}

const arities: Readonly<Record<string, Arity>> = { '': 'single', '?': 'optional', '*': 'variadic', '**': 'variadic' }

function parameterFrom(text: string): Parameter {
  const [, name, mark, type] = /^([^?*:]*)([?*]*):(.*)$/.exec(text) as unknown as [string, string, string, string]
  return mark === '**' ? [name, 'variadic', type, 'mixed'] : [name, arities[mark]!, type]
}

/** Up to the last parameter that is neither optional nor variadic. */
function needed(formal: readonly Parameter[]): number {
  return formal.findLastIndex(([, arity]) => arity === 'single') + 1
}

function attributeFrom(row: string | readonly [string, NonNullable<AttributeSchema['default']>]): AttributeSchema {
  if (typeof row !== 'string') return { type: row[0], default: row[1] }
  return row.endsWith('!') ? { type: row.slice(0, -1), required: true } : { type: row }
}
