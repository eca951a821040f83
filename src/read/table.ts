import { operators } from '../ops/index.ts'
import { isNo, type Operator } from '../ops/operator.ts'
import { schemas } from '../ops/spec.generated.ts'

/** What Sinter can do with an operator. */
export const columns = ['infer', 'gradient', 'coupling', 'cost', 'evaluate', 'upgrades'] as const
export type Column = (typeof columns)[number]

export interface OperatorRow {
  /** `Conv`, or `domain.Name` outside of ai.onnx. */
  readonly operator: string
  /** The opset that its newest form came with; undefined for operators outside of the standard. */
  readonly since: number | undefined
  readonly deprecated: boolean
  /** `yes`, with a note where there was nothing to do; or why not. */
  readonly columns: Readonly<Record<Column, Answer>>
}

export type Answer = { readonly yes: true; readonly note?: string } | { readonly yes: false; readonly why: string }

const yes: Answer = { yes: true }
const because = (why: string): Answer => ({ yes: false, why })

/** The operators of the standard, and those beside it that Sinter knows, with what it can do with each. */
export function operatorTable(): readonly OperatorRow[] {
  const names = new Set([...Object.keys(schemas), ...operators.keys()])
  return [...names].sort().map(operator => {
    const newest = schemas[operator]?.at(-1)
    const record = operators.get(operator)
    const gone = newest?.deprecated
      ? `gone since opset ${newest.since}`
      : 'no record of it: its schema gives element types, and no more'
    return {
      operator,
      since: newest?.since,
      deprecated: newest?.deprecated ?? false,
      columns: record ? answersOf(record) : everywhere(because(gone)),
    }
  })
}

function answersOf(record: Operator): OperatorRow['columns'] {
  const answer = (column: 'gradient' | 'coupling' | 'evaluate') => {
    const rule = record[column]
    return isNo(rule) ? because(rule.no) : yes
  }
  return {
    infer: yes,
    gradient: answer('gradient'),
    coupling: answer('coupling'),
    cost: yes,
    evaluate: answer('evaluate'),
    upgrades: record.upgrades.length > 0 ? yes : { yes: true, note: 'its form has not changed' },
  }
}

function everywhere(answer: Answer): OperatorRow['columns'] {
  return Object.fromEntries(columns.map(column => [column, answer])) as Record<Column, Answer>
}
