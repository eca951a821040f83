import { expect, test } from 'vitest'
import { freshNames } from './fresh-names.ts'

test('gives the hint itself where it is free, and numbers it where it is not', () => {
  const taken = new Set(['a', 'a_2'])
  const fresh = freshNames(taken)
  expect([fresh('b'), fresh('a'), fresh('a'), fresh('b'), fresh('a_2')]).toEqual(['b', 'a_1', 'a_3', 'b_1', 'a_2_1'])
  expect(taken).toContain('a_3')
})

test('sees names that are taken meanwhile', () => {
  const taken = new Set(['a'])
  const fresh = freshNames(taken)
  fresh('a')
  taken.add('a_2')
  expect(fresh('a')).toBe('a_3')
})
