import { writeSync } from 'node:fs'
import { messageOf } from '../../../src/base/errors.ts'
import { mutationOf } from './mutation.ts'
import { ownSources } from './own-sources.ts'
import { sources } from './sources.ts'
import { survive } from './survive.ts'

/**
 * One child of the fuzzer: works through mutations and writes a line before each step. The lines are written whole before
 * the step begins, so that the last one tells where a process ended that was not asked to.
 */
const [seed, first, end, shared] = process.argv.slice(2).map(Number) as [number, number, number, number]
const say = (line: object) => writeSync(3, `${JSON.stringify(line)}\n`)

const from = sources(ownSources(), { shared: shared === 1 })
say({ ready: from.length })
for (let number = first; number < end; number++) {
  say({ number, stage: 'mutate' })
  const mutation = mutationOf(seed, number, from)
  say({ number, from: mutation.from, stage: 'start' })
  try {
    const outcome = await survive(mutation.bytes, seed + number, stage => say({ number, stage }))
    say({ number, outcome })
  } catch (error) {
    say({ number, thrown: messageOf(error), stack: error instanceof Error ? error.stack : undefined })
  }
}
say({ end })
