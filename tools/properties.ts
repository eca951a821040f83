/**
 * Holds Sinter to its promises on random networks, for longer than a test may: `npm run properties -- --runs 10000 --seed 1`.
 * Prints each failure as a small graph and goes on with the next seed.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { messageOf } from '../src/base/errors.ts'
import type { Graph } from '../src/graph/graph.ts'
import { print } from '../src/graph/print.ts'
import { network } from '../test/support/arbitrary-network.ts'
import { wrongWith } from '../test/support/keeps-outputs.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
})
const runs = Number(values.runs)
/** Each seed is left at its first failure, so there are several. */
const perSeed = 250
const started = Date.now()
const wrong = (graph: Graph) => wrongWith(graph).catch(error => messageOf(error))
const seen = new Map<string, number>()
for (let done = 0, seed = Number(values.seed); done < runs; done += perSeed, seed++) {
  const property = fc.asyncProperty(network, async graph => (await wrong(graph)) === undefined)
  const { failed, counterexample } = await fc.check(property, {
    numRuns: Math.min(perSeed, runs - done),
    seed,
    interruptAfterTimeLimit: 120_000,
  })
  const graph = counterexample?.[0]
  if (!failed || !graph) continue
  const what = (await wrong(graph)) ?? 'It came right the second time.'
  const kind = what.replace(/'[^']*'|-?\d+(\.\d+)?(e-?\d+)?/g, '_')
  if (!seen.has(kind)) console.log(`seed ${seed}: ${what}\n${print(graph)}\n`)
  seen.set(kind, (seen.get(kind) ?? 0) + 1)
}
for (const [kind, count] of seen) console.log(`${count} x ${kind}`)
console.log(`${runs} networks in ${((Date.now() - started) / 1000).toFixed(0)} s: ${seen.size} kinds of failure.`)
process.exitCode = seen.size > 0 ? 1 : 0
