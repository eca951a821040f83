import { expect, test } from 'vitest'
import type { ValueType } from '../base/shape.ts'
import { node } from '../graph/edit.ts'
import { typesBySchema } from './types-by-schema.ts'

const x: ValueType = { dtype: 'float16', shape: [2, 3] }
const typesOf = (op: string, inputs: readonly (ValueType | undefined)[], outputs = 1, domain = 'com.microsoft') =>
  typesBySchema(
    node({
      op,
      domain,
      inputs: inputs.map((_, i) => `x${i}`),
      outputs: Array.from({ length: outputs }, (_, i) => `y${i}`),
    }),
    1,
    inputs,
  )

test('an output has the element type of the inputs that share its variable, and no shape', () => {
  expect(typesOf('EngramGate', [x, x, x, x, x])).toEqual([{ dtype: 'float16', shape: undefined }])
})

test('where the schema allows but one type, that is it, whatever the inputs are', () => {
  expect(typesOf('Shape', [undefined], 1, '')).toEqual([{ dtype: 'int64', shape: undefined }])
  expect(typesOf('DynamicTimeWarping', [undefined])).toEqual([{ dtype: 'int32', shape: undefined }])
})

test('nothing is said where it does not follow: unknown inputs, lists of mixed types, unknown operators', () => {
  expect(typesOf('EngramGate', [undefined, undefined])).toEqual([undefined])
  expect(typesOf('EPContext', [x], 2)).toEqual([undefined, undefined])
  expect(typesOf('Nothing', [x], 2, 'my.own')).toEqual([undefined, undefined])
})
