import { expect, test } from 'vitest'
import { columns, operatorTable } from './table.ts'

const rows = new Map(operatorTable().map(row => [row.operator, row]))

test('the table has a row for every operator of the standard, in order', () => {
  expect(rows.size).toBeGreaterThan(200)
  expect([...rows.keys()]).toEqual([...rows.keys()].sort())
})
test('every column is yes, or says why not', () => {
  for (const { columns: answers } of rows.values()) {
    for (const column of columns) {
      const answer = answers[column]
      if (!answer.yes) expect(answer.why.length).toBeGreaterThan(5)
    }
  }
  expect(rows.get('Add')!.columns.gradient).toEqual({ yes: true })
  expect(rows.get('Floor')!.columns.gradient).toMatchObject({ yes: false, why: expect.stringContaining('piecewise') })
})
test('operators that are gone and have no record say so in every column', () => {
  expect(rows.get('GRUUnit')!.columns.infer).toEqual({ yes: false, why: 'gone since opset 10' })
  expect(rows.get('Upsample')!.deprecated).toBe(true)
})
