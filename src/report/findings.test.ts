import { expect, test } from 'vitest'
import { interruptedRunFixture, planMembers, runFixture } from '../../test/fixtures/run-record.ts'
import {
  bestMember,
  choiceSentence,
  compactionSentence,
  gainSentence,
  significanceSentence,
  statusSentence,
} from './findings.ts'
import type { RunChoice, RunRecord } from './run-record.ts'

const run = runFixture()
const choosing = (change: Partial<RunChoice>): RunRecord => ({ ...run, choice: { ...run.choice!, ...change } })

test('the best member is the one tested against, else the most accurate on validation', () => {
  const against = { against: 'resnet-8-half', onlyChoice: 3, onlyAgainst: 1, p: 0.6 }
  expect(bestMember(choosing({ mcnemar: against }))!.name).toBe('resnet-8-half')
  expect(bestMember(choosing({ mcnemar: null }))!.name).toBe('resnet-8')
  expect(bestMember({ ...run, models: [], choice: null })).toBeUndefined()
})

test('the choice is named with its members and its accuracy', () => {
  expect(choiceSentence(run)).toBe(
    'Chosen: weighted-average of resnet-8, resnet-8-leaky and resnet-8-half; 99.56 % of 10,000 test images right.',
  )
  expect(choiceSentence(interruptedRunFixture())).toBeUndefined()
})

test('the gain comes with its cost', () => {
  expect(gainSentence(run)).toBe(
    '+0.09 points against resnet-8, the best single member, for 2.3× the MACs, 2.5× the latency and 2.2× the bytes.',
  )
  expect(gainSentence(runFixture({ members: planMembers(2), ensembles: [] }))).toContain('It is the best single member')
})

test('costs that are unknown are not mentioned', () => {
  const models = run.models.map(model => ({ ...model, macs: null, latency: null }))
  expect(gainSentence({ ...run, models })).toBe(
    '+0.09 points against resnet-8, the best single member, for 2.2× the bytes.',
  )
})

test('a small p-value is called significant, a large one chance', () => {
  expect(significanceSentence(run)).toMatch(/^The difference can be chance: exact McNemar p = 0\.11 /)
  const mcnemar = { against: 'resnet-8', onlyChoice: 30, onlyAgainst: 8, p: 0.00043 }
  expect(significanceSentence(choosing({ mcnemar }))).toBe(
    'The difference is significant: exact McNemar p = 0.00043 (30 images only the choice gets right, 8 only resnet-8).',
  )
})

test('compaction is summed up by what is kept and what is lost', () => {
  expect(compactionSentence(run)).toBe(
    'compact keeps 41.0 % of the MACs and 46.1 % of the bytes of resnet-8, at −0.26 points of accuracy.',
  )
  expect(compactionSentence({ ...run, compact: null })).toBeUndefined()
})

test('the status tells how long the run took', () => {
  expect(statusSentence(run)).toBe('Complete after 5 min 36 s: 9 models.')
  expect(statusSentence({ ...interruptedRunFixture(), finished: null })).toBe('Interrupted; 2 models finished.')
})
