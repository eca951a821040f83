import { describe, expect, test } from 'vitest'
import { nearNames, suggestion } from './near-names.ts'

describe('names near one that does not exist', () => {
  const known = ['image', 'logits', 'backbone/conv1', 'backbone/conv2', 'x']
  test('are those with a few other letters, or that contain it', () => {
    expect(nearNames('imgae', known)).toEqual(['image'])
    expect(nearNames('Logit', known)).toEqual(['logits'])
    expect(nearNames('conv', known)).toEqual(['backbone/conv1', 'backbone/conv2'])
    expect(nearNames('something else', known)).toEqual([])
    expect(nearNames('', known)).toEqual([])
  })
  test('end a message, or else what there is', () => {
    expect(suggestion('conv', known)).toBe("Did you mean 'backbone/conv1' or 'backbone/conv2'?")
    expect(suggestion('zzzzzz', ['aa', 'bb'])).toBe("There are 'aa', 'bb'.")
    expect(suggestion('zzzzzz', [])).toBe('There are none.')
  })
})
