import { describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { type Metric, metrics } from '../evaluate/metrics.ts'
import { type Predictions, predictions } from '../evaluate/predictions.ts'
import { average } from '../fuse/methods/average.ts'
import { majorityVote } from '../fuse/methods/majority-vote.ts'
import { weightedAverage } from '../fuse/methods/weighted-average.ts'
import { type Candidate, choose, compareTrials, type Trial } from './choose.ts'

const rows = 60
const labels = Int32Array.from({ length: rows }, (_, row) => row % 2)

/** Two-class predictions that are right with a confidence, and wrong with it on some rows. */
function saying(wrong: (row: number) => boolean, confidence = 0.8): Predictions {
  const data = Float32Array.from({ length: 2 * rows }, (_, i) => {
    const row = i >> 1
    const right = (i & 1) === labels[row]
    return right !== wrong(row) ? confidence : 1 - confidence
  })
  return predictions({ dtype: 'float32', shape: [rows, 2], data }, labels)
}

const member = (name: string, wrong: (row: number) => boolean, macs = 1): Candidate => ({
  name,
  macs,
  predictions: saying(wrong),
})

/** Three members that err on different rows, so that any two are right where one is wrong. */
const three = [0, 1, 2].map(i => member(`m${i}`, row => row % 10 === i))
const options = { methods: [average, majorityVote], metric: metrics.accuracy, folds: 5, random: random(1) }

describe('choose', () => {
  test('finds the members that correct each other, and says by how much', () => {
    const { best, single, trials, reason } = choose(three, options)
    expect(best.members).toEqual(['m0', 'm1', 'm2'])
    expect(best.mean).toBe(1)
    expect(single.mean).toBeCloseTo(0.9, 12)
    expect(trials).toHaveLength(3 + 4 * 2)
    expect(trials.every(({ scores }) => scores.length === 5)).toBe(true)
    expect(reason).toMatch(/of 8 combinations in 5-fold .* 100\.00 %: 10\.00 points better than .* m0 \(90\.00 %\)/)
  })

  test('is the same for the same seed', () => {
    const again = { ...options, random: random(1) }
    expect(choose(three, again).trials).toEqual(choose(three, options).trials)
  })

  test('of equals takes the smaller log loss, then the cheaper', () => {
    const sure = { ...member('sure', row => row % 10 === 0, 9), predictions: saying(row => row % 10 === 0, 0.9) }
    expect(choose([three[0]!, sure], options).single.members).toEqual(['sure'])
    const dear = member('dear', row => row % 10 === 0, 5)
    expect(choose([dear, three[0]!], options).single.members).toEqual(['m0'])
  })

  test('can go by a metric that is to be small', () => {
    const unsure = { ...three[0]!, name: 'unsure', predictions: saying(() => false, 0.55) }
    const sure = { ...three[0]!, name: 'sure', predictions: saying(row => row === 0, 0.9) }
    const { single, best, reason } = choose([unsure, sure], {
      ...options,
      methods: [average],
      metric: metrics.logLoss,
    })
    expect(single.members).toEqual(['sure'])
    expect(best.mean).toBeGreaterThan(single.mean)
    expect(reason).toMatch(/logLoss .* worse than the best single member, sure/)
  })

  test('of more than eight members tries the best two, three, ...', () => {
    const many = Array.from({ length: 10 }, (_, i) => member(`m${i}`, row => row % 20 < i))
    const { trials, best } = choose(many, { ...options, methods: [average] })
    const tried = trials.filter(({ method }) => method !== 'single')
    expect(tried.map(({ members }) => members.length)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(tried[0]!.members).toEqual(['m0', 'm1'])
    expect(best.members).toEqual(['m0', 'm1'])
  })

  test('makes weights from all rows at the end', () => {
    const pair = [three[0]!, member('half', row => row % 2 === 0)]
    const { best, weightsOf, single } = choose(pair, { ...options, methods: [weightedAverage] })
    const [a, b] = weightsOf(best)!
    expect(a! / b!).toBeCloseTo(0.9 / 0.5, 12)
    expect(weightsOf(single)).toBeUndefined()
  })

  test('refuses a metric that the rows leave undefined', () => {
    const rare = (name: string): Candidate => {
      const probabilities = {
        dtype: 'float32',
        shape: [rows, 3],
        data: new Float32Array(3 * rows).fill(1 / 3),
      } as const
      return { name, macs: 1, predictions: predictions(probabilities, labels) }
    }
    const by = (metric: Metric) => () => choose([rare('a'), rare('b')], { ...options, metric })
    expect(by(metrics.rocAuc)).toThrow(/rocAuc is not defined/)
    expect(by(metrics.macroF1)).not.toThrow()
  })

  test('refuses what cannot be compared', () => {
    const refused = (candidates: readonly Candidate[], message: RegExp, change = {}) =>
      expect(() => choose(candidates, { ...options, ...change })).toThrow(
        expect.objectContaining({ code: 'invalid-argument', message: expect.stringMatching(message) }),
      )
    refused(three.slice(0, 1), /at least two members/)
    refused(three, /at least one method/, { methods: [] })
    refused([three[0]!, three[0]!], /called 'm0'/)
    const own = three[1]!.predictions
    refused([three[0]!, { ...three[1]!, predictions: { ...own, labels: own.labels.map(y => 1 - y) } }], /same labelled/)
    refused(three, /folds need/, { folds: 40 })
  })
})

test('trials whose score is no number come last, and infinite log losses are equal', () => {
  const trial = (mean: number, logLoss: number, macs = 1): Trial => ({
    method: 'single',
    members: [],
    scores: [],
    std: 0,
    mean,
    logLoss,
    macs,
  })
  const [none, low, high] = [trial(Number.NaN, 0), trial(0.1, 0), trial(0.9, 0)]
  expect([none, low, high].sort((a, b) => compareTrials(a, b, 'maximize'))).toEqual([high, low, none])
  expect([none, high, low].sort((a, b) => compareTrials(a, b, 'minimize'))).toEqual([low, high, none])
  const endless = [trial(0.5, Number.POSITIVE_INFINITY, 2), trial(0.5, Number.POSITIVE_INFINITY, 1)]
  expect(compareTrials(endless[0]!, endless[1]!, 'maximize')).toBeGreaterThan(0)
  expect(compareTrials(trial(0.5, 0.2 + 1e-16, 1), trial(0.5, 0.2, 2), 'maximize')).toBeLessThan(0)
})
