import stringWidth from 'string-width'
import { expect, test } from 'vitest'
import { interruptedRunFixture, planMembers, runFixture } from '../../test/fixtures/run-record.ts'
import { renderTable, terminalOptions } from './table.ts'

const widest = (text: string) => Math.max(...text.split('\n').map(line => stringWidth(line)))

test('every model is a row, the choice is marked, and its reason and significance are below', () => {
  const text = renderTable(runFixture())
  for (const { name } of runFixture().models) expect(text).toMatch(new RegExp(`^[ ▸] ${name} .*\\d`, 'm'))
  expect(text.match(/^▸ .*$/gm)).toEqual([expect.stringContaining('weighted-average')])
  expect(text).toContain('Highest mean accuracy over 5 folds')
  expect(text).toContain('exact McNemar p = 0.11')
})

test('the numbers of a row are those of the record', () => {
  const row = renderTable(runFixture())
    .split('\n')
    .find(line => line.includes('simple-net-3x3'))!
  const cells = row.trim().split(/\s+/)
  expect(cells.slice(0, 9)).toEqual('simple-net-3x3 50.2k 3.87M 207 0.141 13.5k 41.3 99.21 99.21'.split(' '))
  expect(cells).toHaveLength(12)
})

test('compaction is shown step by step, from the model it started with', () => {
  const lines = renderTable(runFixture()).split('\n')
  const from = lines.findIndex(line => line.startsWith('compaction'))
  expect(lines.slice(from + 3, from + 8).map(line => line.trim().split(/\s+/)[0])).toEqual([
    'resnet-8',
    'fold-batch-norm',
    'swap-activation',
    'cut-width',
    'cut-depth',
  ])
})

test.each([60, 80, 100])('the digits job fits %i columns, and lines do not end in blanks', columns => {
  const text = renderTable(runFixture(), { columns })
  expect(widest(text)).toBeLessThanOrEqual(columns)
  expect(text).not.toMatch(/ $/m)
  expect(text).toMatch(/MACs/)
})

test('long and wide names are shortened without losing the alignment', () => {
  const members = planMembers(3, i => ['残差网络'.repeat(12), 'a-very-long-name-'.repeat(9), 'short'][i]!)
  const text = renderTable(runFixture({ members, ensembles: [] }), { columns: 80 })
  const lines = text.split('\n')
  const table = lines.slice(3, lines.indexOf('')).filter(line => line.startsWith('  ') || line.startsWith('▸'))
  expect(table).toHaveLength(4)
  expect(new Set(table.map(line => stringWidth(line))).size).toBe(1)
  expect(widest(table.join('\n'))).toBeLessThanOrEqual(80)
  expect(text).toContain('…')
})

test('escape sequences in names do not reach the terminal', () => {
  const members = planMembers(2, i => (i ? 'plain' : '\x1b[31mred\x1b[0m\nnext\x07'))
  const text = renderTable({ ...runFixture({ members, ensembles: [] }), name: '\x1b]0;title\x07run' })
  expect(text).not.toMatch(/(?!\n)\p{Cc}/u)
  expect(text).toContain('red next')
})

test('an interrupted run shows what finished, measured on validation', () => {
  const text = renderTable(interruptedRunFixture())
  expect(text).toContain('validation part')
  expect(text).toContain('Interrupted after 1 min 18 s; 2 models finished.')
  expect(text).not.toContain('Chosen')
})

test('colour only on a terminal, and not against NO_COLOR', () => {
  expect(terminalOptions({ isTTY: true, columns: 90 }, {})).toEqual({ columns: 90, color: true })
  expect(terminalOptions({ isTTY: true, columns: 300 }, { NO_COLOR: '1' })).toEqual({ columns: 120, color: false })
  expect(terminalOptions({ isTTY: true }, { TERM: 'dumb' })).toEqual({ columns: 100, color: false })
  expect(terminalOptions({}, {})).toEqual({ columns: 100, color: false })
  expect(renderTable(runFixture(), { color: true })).toContain('\x1b[')
  expect(renderTable(runFixture(), { color: false })).not.toContain('\x1b[')
})
