import { SinterError } from '../base/errors.ts'
import { type Answer, columns, type OperatorRow, operatorTable } from '../read/table.ts'
import { wrap } from '../report/text.ts'
import { answering, examples, jsonOption, type Verb } from './command.ts'
import { table } from './table.ts'

interface Options {
  readonly reasons?: boolean
}

/** The rows of the operator table whose names contain the filter, whatever the case; with a dot in it, domains count too. */
export function ops(filter = ''): readonly OperatorRow[] {
  const wanted = filter.toLowerCase()
  const nameOf = (operator: string) => (wanted.includes('.') ? operator : operator.slice(operator.lastIndexOf('.') + 1))
  const rows = operatorTable().filter(({ operator }) => nameOf(operator).toLowerCase().includes(wanted))
  if (rows.length > 0) return rows
  throw new SinterError('not-found', `No operator's name contains '${filter}'. sinter ops lists them all.`, { filter })
}

/** `sinter ops`: what Sinter can do with each operator. */
export const opsVerb: Verb = (program, io) => {
  program
    .command('ops')
    .description('list the operators of ONNX, and what can be done with each')
    .argument('[filter]', 'a part of the names')
    .option('--reasons', 'why what is refused is refused')
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        ['ops', 'ops pool --reasons', 'ops com.microsoft.', 'ops --json'],
        `Columns: infer (types and shapes), gradient (training), coupling (pruning), cost
(MACs), evaluate (folding constants), upgrades (from older opsets; same where
the form of the operator has not changed).`,
      ),
    )
    .action(
      answering(io, async (filter: string | undefined, options: Options) => {
        const rows = ops(filter)
        return { json: { columns, operators: rows }, text: textOf(rows, options.reasons ?? false, io.columns) }
      }),
    )
}

function textOf(rows: readonly OperatorRow[], reasons: boolean, width: number): string {
  const known = rows.filter(row => row.columns.infer.yes)
  const lines = table(
    [{ title: 'operator' }, { title: 'since', align: 'right' }, ...columns.map(title => ({ title }))],
    rows.map(row => [
      row.operator,
      row.since === undefined ? '' : String(row.since),
      ...columns.map(column => wordFor(row.columns[column])),
    ]),
    width,
  ).split('\n')
  const [header, ...body] = lines
  const shown = reasons ? body.flatMap((line, i) => [line, ...reasonsOf(rows[i]!, width)]) : body
  const total = `${known.length} of ${rows.length} operators have a record.`
  return [header, ...shown, '', reasons ? total : `${total} --reasons says why not, where there is a -.`].join('\n')
}

function wordFor(answer: Answer): string {
  if (!answer.yes) return '-'
  return answer.note === undefined ? 'yes' : 'same'
}

/** Each different reason once, behind the columns that it holds for. */
function reasonsOf({ columns: answers }: OperatorRow, width: number): string[] {
  const byReason = new Map<string, string[]>()
  for (const column of columns) {
    const answer = answers[column]
    if (!answer.yes) byReason.set(answer.why, [...(byReason.get(answer.why) ?? []), column])
  }
  return Array.from(byReason, ([why, names]) => {
    const reason = names.length === columns.length ? why : `${names.join(', ')}: ${why}`
    return `    ${wrap(reason, width - 6).replaceAll('\n', '\n      ')}`
  })
}
