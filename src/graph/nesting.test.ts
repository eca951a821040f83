import { expect, test } from 'vitest'
import { attribute } from './attributes.ts'
import { check } from './check.ts'
import { node } from './edit.ts'
import { type Body, emptyGraph } from './graph.ts'
import { assertNesting } from './nesting.ts'

test('bodies may be nested as deep as a file can hold, and no deeper', () => {
  const nested = (depth: number): Body => {
    let body: Body = emptyGraph('leaf')
    for (let i = 0; i < depth; i++) {
      const holder = node({ op: 'If', inputs: [], outputs: ['y'], attributes: { then_branch: attribute.graph(body) } })
      body = { ...emptyGraph(`level ${i}`), nodes: [holder] }
    }
    return body
  }
  expect(() => assertNesting(nested(32))).not.toThrow()
  expect(() => assertNesting(nested(33))).toThrow(/nested deeper than 32/)
  expect(() => assertNesting(nested(100_000))).toThrow(/nested deeper than 32/)
  expect(check(nested(100_000)).map(({ code }) => code)).toEqual(['deep-nesting'])
})
