import { describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { elementCount, isFixed, isTensorType } from '../base/shape.ts'
import { fromNumbers, numbers, scalar, type Tensor } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { define, f32 } from '../nn/define.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { crossEntropy } from './losses.ts'
import { sgd } from './optimizers.ts'
import { type TrainStep, trainStep } from './train-step.ts'

/** Convolutions of the kinds that offer several forms: plain, strided, grouped, depthwise, pointwise. */
const net = define(
  { x: f32(['N', 2, 8, 8]) },
  ({ x }, nn) => ({
    logits: nn.sequential(
      nn.conv(4, 3),
      nn.tanh,
      nn.conv(4, 3, { stride: 2, padding: 1 }),
      nn.conv(8, 3, { groups: 2 }),
      nn.tanh,
      nn.conv(8, 3, { groups: 8 }),
      nn.conv(6, 1),
      nn.maxPool(2),
      nn.globalPool,
      nn.linear(3),
    )(x),
  }),
  { seed: 1 },
)
const options = { loss: crossEntropy(), optimizer: sgd({ rate: 0.1 }), batch: 3 }
const step = trainStep(net, options)

function drawFeeds(inputs: Graph['inputs'], stream = random(2)): Record<string, Tensor> {
  return Object.fromEntries(
    inputs.map(({ name, type }) => {
      if (!isTensorType(type) || !isFixed(type.shape)) throw new Error(name)
      const { dtype, shape } = type
      const values = Array.from({ length: elementCount(shape) }, () =>
        dtype === 'int64' ? stream.integer(3) : stream.uniform() - 0.5,
      )
      return [name, fromNumbers(dtype, shape, values)]
    }),
  )
}

async function outputsOf(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<readonly Tensor[]> {
  await using session = await onnxruntimeNode.open(graph, { threads: 1 })
  const results = await session.run(feeds)
  return graph.outputs.map(({ name }) => results[name]!)
}

function expectNear(actual: Tensor, expected: Tensor, what: string): void {
  expect(actual.shape, what).toEqual(expected.shape)
  const values = Array.from(numbers(expected))
  const scale = Math.max(...values.map(Math.abs), 1e-3)
  Array.from(numbers(actual)).forEach((value, i) => {
    expect(Math.abs(value - values[i]!), what).toBeLessThan(2e-5 * scale)
  })
}

describe('the forms of a gradient', () => {
  test('are offered for every kind of convolution, data and weights', () => {
    const keys = step.choices.map(({ key }) => key)
    expect(keys.filter(key => key.startsWith('Conv dX')).length).toBeGreaterThanOrEqual(3)
    expect(keys.filter(key => key.startsWith('Conv dW')).length).toBeGreaterThanOrEqual(3)
    expect(new Set(keys).size).toBe(keys.length)
    for (const { forms } of step.choices) expect(forms.length).toBeGreaterThan(1)
  })

  // Pooling's forms take for granted that what was pooled is among the data; numbers drawn at random are not.
  const free = step.choices.filter(({ key }) => key.startsWith('Conv'))
  test.each(free.map(choice => [choice.key, choice] as const))('agree, each alone: %s', async (_, choice) => {
    const pieces = choice.forms.map(form => [form, choice.piece(form)] as const)
    const all = new Map(pieces.flatMap(([, piece]) => piece.inputs.map(input => [input.name, input] as const)))
    const feeds = drawFeeds([...all.values()])
    const own = (piece: Graph) => Object.fromEntries(piece.inputs.map(({ name }) => [name, feeds[name]!]))
    const [expected] = await outputsOf(pieces[0]![1], own(pieces[0]![1]))
    for (const [form, piece] of pieces.slice(1)) {
      // Nothing is fed that the form does not read.
      expect(piece.inputs.length).toBeGreaterThan(0)
      const [actual] = await outputsOf(piece, own(piece))
      expectNear(actual!, expected!, form)
    }
  })

  test('agree within the whole step', async () => {
    const stream = random(3)
    const data = {
      x: fromNumbers(
        'float32',
        [3, 2, 8, 8],
        Array.from({ length: 384 }, () => stream.uniform()),
      ),
      target: fromNumbers('int64', [3], [0, 1, 2]),
    }
    const run = (one: TrainStep) =>
      outputsOf(one.graph, {
        ...data,
        ...Object.fromEntries(one.state.map(({ input, initial }) => [input, initial])),
        ...Object.fromEntries(one.scalars.map(({ input }) => [input, scalar('float32', 0.1)])),
      })
    const expected = await run(step)
    const most = Math.max(...step.choices.map(({ forms }) => forms.length))
    for (let i = 1; i < most; i++) {
      const forms = new Map(step.choices.map(({ key, forms: names }) => [key, names[i % names.length]!]))
      const actual = await run(trainStep(net, { ...options, forms }))
      actual.forEach((value, k) => {
        expectNear(value, expected[k]!, `output ${k} in forms ${i}`)
      })
    }
  })

  test('that are not known are passed over for the first', () => {
    const forms = new Map(step.choices.map(({ key }) => [key, 'none of them']))
    expect(trainStep(net, { ...options, forms }).graph).toEqual(step.graph)
  })
})
