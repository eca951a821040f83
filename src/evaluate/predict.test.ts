import { describe, expect, test } from 'vitest'
import { float32s, type Tensor, tensor } from '../base/tensor.ts'
import { type Dataset, tensorDataset } from '../data/dataset.ts'
import { define, f32 } from '../nn/define.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { predict } from './predict.ts'

/** Hands two numbers on as the logits of two classes. */
const classifier = define({ image: f32(['N', 2]) }, ({ image }, nn) => ({ logits: nn.op.Identity([image]) }), {
  seed: 1,
})

/** Seven rows whose class is 1 where the second number is larger; row 4 is labelled wrongly. */
const rows = [0, 1, 1, 0, 0, 2, 2, 0, 0, 3, 3, 0, 0, 4]
const data = tensorDataset({
  image: float32s([7, 2], rows),
  label: tensor('uint8', [7], Uint8Array.of(1, 0, 1, 0, 0, 0, 1)),
})

describe('predict', () => {
  test('classifies a whole data set in order, the last batch being smaller', async () => {
    await using session = await onnxruntimeNode.open(classifier)
    const told: number[] = []
    const found = await predict(session, data, { batch: 3, onProgress: done => told.push(done) })
    expect(told).toEqual([3, 6, 7])
    expect(found.size).toBe(7)
    expect(found.predicted).toEqual(Int32Array.of(1, 0, 1, 0, 1, 0, 1))
    expect(found.labels).toEqual(Int32Array.of(1, 0, 1, 0, 0, 0, 1))
    found.probabilities.forEach((value, i) => {
      const other = rows[i ^ 1]!
      expect(value).toBeCloseTo(1 / (1 + Math.exp(other - rows[i]!)), 6)
    })
    expect(await predict(session, data, { batch: 100 })).toEqual(found)
  })

  test('takes softmax without overflowing', async () => {
    await using session = await onnxruntimeNode.open(classifier)
    const extreme = tensorDataset({
      image: float32s([1, 2], [1000, -1000]),
      label: tensor('int64', [1], BigInt64Array.of(0n)),
    })
    expect((await predict(session, extreme)).probabilities).toEqual(Float32Array.of(1, 0))
  })

  test("takes the graph's own probabilities and labels where it has them", async () => {
    const graph = define(
      { image: f32(['N', 2]) },
      ({ image }, nn) => {
        const probabilities = nn.op.Softmax([image], { axis: -1 })
        const first = nn.op.Gather([probabilities, nn.op.scalar(0, 'int64')], { axis: 1 })
        return { probabilities, label: nn.op.Cast([nn.op.Greater([first, nn.op.scalar(2)])], { to: 7 }) }
      },
      { seed: 1 },
    )
    await using session = await onnxruntimeNode.open(graph)
    const { predicted, probabilities } = await predict(session, data, { batch: 4 })
    expect(predicted).toEqual(new Int32Array(7))
    expect(probabilities[0]! + probabilities[1]!).toBeCloseTo(1, 6)
  })

  test('feeds an input from a field of another name', async () => {
    await using session = await onnxruntimeNode.open(classifier)
    const renamed = tensorDataset({ pixels: float32s([1, 2], [0, 1]), digit: tensor('uint8', [1], Uint8Array.of(1)) })
    const options = { fields: { image: 'pixels' }, target: 'digit' }
    expect((await predict(session, renamed, options)).predicted).toEqual(Int32Array.of(1))
  })

  test('refuses data without the fields it needs, and names those there are', async () => {
    await using session = await onnxruntimeNode.open(classifier)
    const refusal = (says: RegExp) => ({ code: 'invalid-data', message: expect.stringMatching(says) })
    const unlabelled = tensorDataset({ image: float32s([1, 2], [0, 1]) })
    await expect(predict(session, unlabelled)).rejects.toMatchObject(refusal(/no field 'label'.*image/))
    await expect(predict(session, data, { fields: { image: 'x' } })).rejects.toMatchObject(refusal(/no field 'x'/))
  })

  test('refuses to guess among several outputs', async () => {
    const two = define({ image: f32(['N', 2]) }, ({ image }, nn) => ({ a: nn.relu(image), b: nn.tanh(image) }), {
      seed: 1,
    })
    await using session = await onnxruntimeNode.open(two)
    await expect(predict(session, data)).rejects.toMatchObject({ code: 'invalid-argument' })
    expect((await predict(session, data, { output: 'b' })).size).toBe(7)
  })

  test('refuses an output that does not have a row for each row', async () => {
    const mean = define(
      { image: f32(['N', 2]) },
      ({ image }, nn) => ({ logits: nn.op.MatMul([nn.op.Transpose([image], { perm: [1, 0] }), image]) }),
      { seed: 1 },
    )
    await using session = await onnxruntimeNode.open(mean)
    await expect(predict(session, data, { batch: 7 })).rejects.toMatchObject({ code: 'invalid-data' })
  })

  test('stops when told to', async () => {
    await using session = await onnxruntimeNode.open(classifier)
    const stop = new AbortController()
    const run = predict(session, data, { batch: 2, signal: stop.signal, onProgress: () => stop.abort() })
    await expect(run).rejects.toMatchObject({ code: 'interrupted', details: { done: 2 } })
  })

  test('reads the next batch while one runs', async () => {
    const order: string[] = []
    const slow: Dataset = {
      ...data,
      async read(wanted, only) {
        order.push(`read ${wanted[0]}`)
        return data.read(wanted, only)
      },
    }
    await using session = await onnxruntimeNode.open(classifier)
    const watched = {
      ...session,
      async run(feeds: Readonly<Record<string, Tensor>>, fetch?: readonly string[]) {
        order.push('run')
        return session.run(feeds, fetch)
      },
    }
    await predict(watched, slow, { batch: 4 })
    expect(order).toEqual(['read 0', 'read 4', 'run', 'run'])
  })
})
