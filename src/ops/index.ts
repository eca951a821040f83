import * as activation from './activation.ts'
import * as arithmetic from './arithmetic.ts'
import * as linear from './linear.ts'
import type { Operator } from './operator.ts'
import { keyOf } from './spec.ts'

/** The families, one file each; every export of theirs that is a record is a row of the table. */
const families: readonly object[] = [activation, arithmetic, linear]

/** Every operator with a record, by its key. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  families.flatMap(family =>
    (Object.values(family) as unknown[]).filter(isOperator).map(row => [row.type as string, row] as const),
  ),
)

function isOperator(value: unknown): value is Operator {
  return typeof value === 'object' && value !== null && 'infer' in value && 'gradient' in value
}

export function operatorOf(node: { readonly op: string; readonly domain: string }): Operator | undefined {
  return operators.get(keyOf(node))
}
