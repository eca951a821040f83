import { expect, test } from 'vitest'
import { reasonIn } from './engine-names.ts'

test('a message of the engine is told without places in its sources', () => {
  const place =
    '/src/core/graph/load_utils.h:46 void core::Validate(const std::map<std::string, int>&, bool, int) const [with T = int] '
  expect(reasonIn(`${place}The model\nis too new. .`)).toBe('The model is too new')
  expect(reasonIn('Load failed. Status Message: Input X must have 3 dimensions only.')).toBe(
    'Input X must have 3 dimensions only',
  )
})

test('of a long message only its ends are told', () => {
  const middle = 'It goes on and on about this and that. '.repeat(20)
  expect(reasonIn(`Opset 28 is new. ${middle}Support ends at opset 26.`)).toBe(
    'Opset 28 is new. ... Support ends at opset 26',
  )
})
