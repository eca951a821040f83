import fc from 'fast-check'
import { expect, test } from 'vitest'
import { network } from './support/arbitrary-network.ts'
import { wrongWith } from './support/keeps-outputs.ts'

test('networks of all kinds keep their outputs as they are encoded, upgraded and simplified', async () => {
  const operators = new Set<string>()
  await fc.assert(
    fc.asyncProperty(network, async graph => {
      for (const { op } of graph.nodes) operators.add(op)
      expect(await wrongWith(graph)).toBeUndefined()
    }),
    { numRuns: 300, seed: 4 },
  )
  expect(operators.size).toBeGreaterThan(50)
})
