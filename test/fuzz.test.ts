import { expect, test } from 'vitest'
import { fuzz } from './support/fuzz/watch.ts'

test('whatever a file is damaged to, it is refused or runs: nothing crashes, hangs or swells', async () => {
  const { findings, ends } = await fuzz({ seed: 1, mutations: 500, shared: false })
  expect(findings).toEqual([])
  // Files get everywhere, and not only to the first check.
  expect(ends.ran).toBeGreaterThan(25)
  expect(ends['refused by decode: invalid-model']).toBeGreaterThan(50)
  expect(ends['refused by assert: invalid-graph']).toBeGreaterThan(25)
}, 120_000)
