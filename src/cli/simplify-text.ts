import { counted, duration, fileSize, measured, shareOf, whole } from '../report/format.ts'
import { clean, wrap } from '../report/text.ts'
import { stepNames } from '../verify/apply-steps.ts'
import type { Simplified } from './simplify.ts'
import { facts, table } from './table.ts'

const number = { align: 'right' } as const

/** What came of simplifying, for a terminal. */
export function summary(simplified: Simplified, width: number, explain = false): string {
  const { file, out, files, nodes, bytes, opset, passes, skipped, notes, seconds } = simplified
  const changed = passes.filter(({ changes }) => changes > 0)
  const lines = [
    ...leftOut(skipped),
    ...notes.map(note => `Note: ${note}.`),
    checkLine(simplified),
    out === null
      ? 'Nothing is written; name a file with -o.'
      : files.length > 1
        ? `Written to ${files.join(' and ')}: they belong together.`
        : `Written to ${out}.`,
  ]
  return [
    facts([
      ['model', file],
      ['nodes', `${whole(nodes.before)} -> ${whole(nodes.after)} (${shareOf(nodes.after, nodes.before)})`],
      ['size', `${fileSize(bytes.before)} -> ${fileSize(bytes.after)} (${shareOf(bytes.after, bytes.before)})`],
      ...(opset.before === opset.after ? [] : [['opset', `${opset.before} -> ${opset.after}`] as const]),
      ['time', duration(seconds)],
    ]),
    ...(explain ? [explanation(simplified, width)] : changed.length === 0 ? [] : [stepTable(changed, width)]),
    lines.map(line => wrap(clean(line), width)).join('\n'),
  ].join('\n\n')
}

function checkLine({ check }: Simplified): string {
  const { ok, notChecked, maxAbsDifference, maxRelativeDifference, feeds } = check
  if (ok === null) return `Outputs not checked: ${notChecked}.`
  const largest =
    maxAbsDifference === 0
      ? 'no difference'
      : `largest difference ${maxAbsDifference?.toExponential(1)}, ${maxRelativeDifference?.toExponential(1)} of the scale`
  const rest = notChecked === null ? '' : ` Of these, ${notChecked}.`
  return `Outputs ${ok ? 'equal' : 'DIFFER'} on ${counted(feeds, 'run')}: ${largest}.${rest}`
}

/** Steps that were left out, by reason. */
function leftOut(skipped: Simplified['skipped']): readonly string[] {
  const byReason = new Map<string, string[]>()
  for (const { step, why } of skipped) byReason.set(why, [...(byReason.get(why) ?? []), step])
  return Array.from(byReason, ([why, steps]) => {
    const more = steps.length > 5 ? ` and ${steps.length - 5} more steps` : ''
    return `Left out ${steps.slice(0, 5).join(', ')}${more}: ${why}.`
  })
}

/** What each step did, and what its rule left alone and why; those that met nothing are counted. */
function explanation({ passes, rules }: Simplified, width: number): string {
  const declines = new Map(rules.map(({ rule, declines }) => [rule, Object.entries(declines)]))
  const met = passes.filter(({ name, changes }) => changes > 0 || (declines.get(name) ?? []).length > 0)
  const idle = passes.length - met.length
  const rest = idle === 0 ? [] : ['', `${counted(idle, 'other step')} found nothing.`]
  if (met.length === 0) return rest.join('\n').trim()
  const [title, ...rows] = stepTable(met, width).split('\n') as [string, ...string[]]
  const indent = '        '
  const explained = rows.flatMap((row, i) => [
    row,
    ...(declines.get(met[i]!.name) ?? []).map(([why, at]) =>
      wrap(`left ${whole(at.length)}: ${clean(why)} (${clean(at[0]!)})`, width - indent.length)
        .split('\n')
        .map((line, j) => `${indent.slice(j === 0 ? 4 : 0)}${line}`)
        .join('\n'),
    ),
  ])
  return [title, ...explained, ...rest].join('\n')
}

function stepTable(passes: Simplified['passes'], width: number): string {
  return table(
    [{ title: 'step' }, { title: 'changes', ...number }, { title: 'ms', ...number }],
    passes.map(({ name, changes, seconds }) => [name, whole(changes), measured(1000 * seconds)]),
    width,
  )
}

/** The steps, in the order in which they are taken. */
export function stepList(width: number): string {
  return wrap(stepNames().join(', '), width)
}
