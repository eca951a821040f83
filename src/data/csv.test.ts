import { describe, expect, test } from 'vitest'
import { type CsvOptions, parseCsv } from './csv.ts'

const read = (text: string, options: Partial<CsvOptions> = {}) =>
  parseCsv(text, 'x.csv', { target: 'kind', ...options })

describe('parseCsv', () => {
  test('gives features as a float32 matrix and labels as positions in the sorted classes', () => {
    expect(read('\ufeffa,kind,b\r\n1,rose,-2.5e1\r\n\r\n.5,"iris, wild",+3.\r\n')).toEqual({
      features: { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, -25, 0.5, 3) },
      label: { dtype: 'int64', shape: [2], data: BigInt64Array.of(1n, 0n) },
      columns: ['a', 'b'],
      classes: ['iris, wild', 'rose'],
    })
  })

  test('sorts classes as numbers where all are', () => {
    expect(read('a,kind\n1,10\n1,9\n1,2\n').classes).toEqual(['2', '9', '10'])
  })

  test('takes the named columns in the named order, with another delimiter', () => {
    const table = read('a;b;kind;c\n1;2;x;words\n', { features: ['b', 'a'], delimiter: ';' })
    expect(table.features.data).toEqual(Float32Array.of(2, 1))
  })

  test("uses another file's classes where they are given", () => {
    expect(read('a,kind\n1,x\n', { classes: ['z', 'x'] }).label.data).toEqual(BigInt64Array.of(1n))
    expect(() => read('a,kind\n1,x\n2,y\n', { classes: ['x'] })).toThrow(/line 3, column 'kind' has 'y'.*classes x/)
  })

  test.each([
    [
      'a missing value',
      'a,kind\n1,x\n,y\n',
      /^x\.csv, line 3, column 'a' is missing a value; expected a finite number/,
    ],
    ['a missing label', 'a,kind\n1, \n', /line 2, column 'kind' is missing a value; expected a label/],
    ['a word', 'a,kind\n?,x\n', /line 2, column 'a' has '\?'/],
    ['a number that is not finite', 'a,kind\n1e39,x\n', /column 'a' has '1e39'/],
    ['NaN', 'a,kind\nNaN,x\n', /column 'a' has 'NaN'/],
    ['hexadecimal', 'a,kind\n0x10,x\n', /column 'a' has '0x10'/],
    ['a row that is too long', 'a,kind\n1,x,2\n', /not a well-formed table.*line 2/],
    ['a quote left open', 'a,kind\n1,"x\n', /not a well-formed table/],
    ['nothing', '', /is empty/],
    ['a header alone', 'a,kind\n', /no rows/],
  ])('refuses %s', (_, text, reason) => {
    expect(() => read(text)).toThrow(reason)
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'invalid-data' }))
  })

  test('refuses a column that is not there, listing those that are', () => {
    expect(() => read('a,b\n1,2\n')).toThrow(/no column 'kind'; it has a, b/)
  })
})
