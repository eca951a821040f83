import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { random } from '../../base/random.ts'
import { type Tensor, tensor } from '../../base/tensor.ts'
import { writeNpz } from '../../data/testing/write-npz.ts'
import type { Graph } from '../../graph/graph.ts'
import { define, f32 } from '../../nn/define.ts'
import { withClassifierHead } from '../../nn/with-classifier-head.ts'
import { save } from '../../read/model-file.ts'

/** A folder with small models and data: points around three centres, to be told apart. */
export interface Blobs {
  readonly folder: string
  readonly at: (file: string) => string
  remove(): Promise<void>
}

const centres = [
  [1, 0],
  [-1, 1],
  [-1, -1],
] as const

/** `train.npz`, `test.npz`, `test.csv`; `net.onnx` (logits) and `ready.onnx` (probabilities and label), both untrained. */
export async function makeBlobs(): Promise<Blobs> {
  const folder = await mkdtemp(join(tmpdir(), 'sinter-cli-'))
  const at = (file: string) => join(folder, file)
  await writeNpz(at('train.npz'), points('train', 240))
  const test = points('test', 90)
  await writeNpz(at('test.npz'), test)
  await writeFile(at('test.csv'), csvOf(test))
  await save(at('net.onnx'), network(1))
  await save(at('ready.onnx'), { ...withClassifierHead(network(2)), metadata: { classes: '["east","north","south"]' } })
  return { folder, at, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** A perceptron from points [N, 2] to `logits` [N, 3]. */
export function network(seed: number): Graph {
  return define(
    { point: f32(['N', 2]) },
    ({ point }, nn) => ({ logits: nn.sequential(nn.linear(8), nn.relu, nn.linear(3))(point) }),
    { seed, name: 'points' },
  )
}

export function points(part: string, count: number): { readonly point: Tensor; readonly label: Tensor } {
  const stream = random(1).fork(part)
  const labels = Array.from({ length: count }, (_, i) => i % 3)
  const values = labels.flatMap(label => centres[label]!.map(centre => centre + 0.4 * stream.normal()))
  return {
    point: tensor('float32', [count, 2], Float32Array.from(values)),
    label: tensor('int64', [count], BigInt64Array.from(labels, BigInt)),
  }
}

function csvOf({ point, label }: { readonly point: Tensor; readonly label: Tensor }): string {
  const names = ['east', 'north', 'south']
  const lines = Array.from(label.data as BigInt64Array, (value, i) => {
    const [x, y] = [point.data[2 * i], point.data[2 * i + 1]]
    return `${x},${y},${names[Number(value)]}`
  })
  return `x,y,where\n${lines.join('\n')}\n`
}
