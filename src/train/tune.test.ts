import { describe, expect, test } from 'vitest'
import type { FormChoice } from '../gradient/forms.ts'
import { crossEntropy } from '../gradient/losses.ts'
import { sgd } from '../gradient/optimizers.ts'
import { trainStep } from '../gradient/train-step.ts'
import { define, f32 } from '../nn/define.ts'
import type { Backend } from '../runtime/backend.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { preferred, tune } from './tune.ts'

const net = define(
  { x: f32(['N', 2, 6, 6]) },
  ({ x }, nn) => ({
    logits: nn.sequential(nn.conv(3, 3), nn.tanh, nn.conv(3, 3), nn.globalPool, nn.linear(2))(x),
  }),
  { seed: 1 },
)
const options = { loss: crossEntropy(), optimizer: sgd(), batch: 4 }

/** Runs nothing: takes as many milliseconds as the graph's name says. */
function waiting(times: Readonly<Record<string, number>>): Backend & { readonly alive: () => number } {
  let alive = 0
  return {
    name: 'waiting',
    alive: () => alive,
    async open(model) {
      const name = model instanceof Uint8Array ? '' : model.name
      if (times[name] === undefined) throw new Error('refused')
      alive++
      return {
        inputs: [],
        outputs: [],
        async run() {
          const end = performance.now() + times[name]!
          while (performance.now() < end);
          return {}
        },
        async [Symbol.asyncDispose]() {
          alive--
        },
      }
    },
  }
}

const choice = (key: string, ...forms: readonly string[]): FormChoice => ({
  key,
  forms,
  piece: form => ({ ...net, name: form, inputs: [] }),
})

describe('tune', () => {
  test('finds the fastest form of each choice, and leaves no session', async () => {
    const backend = waiting({ slow: 3, fast: 0.5, middle: 1.5 })
    const timings = await tune([choice('a', 'slow', 'fast'), choice('b', 'middle', 'slow')], { backend, rounds: 3 })
    expect([...preferred(timings)]).toEqual([
      ['a', 'fast'],
      ['b', 'middle'],
    ])
    expect(timings[0]!.milliseconds.slow).toBeGreaterThanOrEqual(3)
    expect(backend.alive()).toBe(0)
  })

  test('closes what it opened where the engine refuses a form', async () => {
    const backend = waiting({ fast: 0 })
    await expect(tune([choice('a', 'fast', 'impossible')], { backend })).rejects.toThrow('refused')
    expect(backend.alive()).toBe(0)
  })

  test('stops between choices', async () => {
    const run = tune([choice('a', 'fast')], { backend: waiting({ fast: 0 }), signal: AbortSignal.abort() })
    await expect(run).rejects.toMatchObject({ code: 'interrupted' })
  })

  test('runs the pieces of a real step, and the step takes what it found', async () => {
    const step = trainStep(net, options)
    expect(step.choices.length).toBeGreaterThan(1)
    const timings = await tune(step.choices, { backend: onnxruntimeNode, threads: 1, rounds: 1 })
    expect(timings.map(({ key }) => key)).toEqual(step.choices.map(({ key }) => key))
    for (const { best, milliseconds } of timings)
      expect(milliseconds[best]).toBe(Math.min(...Object.values(milliseconds)))
    expect(trainStep(net, { ...options, forms: preferred(timings) }).state).toHaveLength(step.state.length)
  })
})
