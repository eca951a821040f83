import { random } from '../base/random.ts'
import { fromNumbers, numbers, scalar, type Tensor } from '../base/tensor.ts'
import { crossEntropy, type Layout, sgd, type TrainStep, trainStep } from '../gradient/index.ts'
import type { Graph } from '../graph/graph.ts'
import { define, f32 } from '../nn/define.ts'
import type { Backend } from '../runtime/backend.ts'
import { blockSize } from '../runtime/block-size.ts'

const found = new WeakMap<Backend, Promise<Layout>>()

/**
 * The layout that steps run fastest in on this machine: blocked where the engine's kernels are, and where a step of a
 * small network then gives the numbers that the portable one gives. The kernels are used beyond what the engine itself
 * uses them for, and may change with its version; so they are asked each time, which takes about a quarter of a second
 * and happens once for each backend.
 */
export function fastestLayout(backend: Backend): Promise<Layout> {
  const known = found.get(backend) ?? find(backend)
  found.set(backend, known)
  return known
}

async function find(backend: Backend): Promise<Layout> {
  const block = await blockSize(backend)
  if (block !== 8 && block !== 16) return 'portable'
  const layout = { block } as const
  try {
    const [expected, actual] = [await trial(backend, 'portable', block), await trial(backend, layout, block)]
    return expected.every((value, i) => near(actual[i]!, value)) ? layout : 'portable'
  } catch {
    return 'portable' // The engine refuses what the blocked step asks of its kernels.
  }
}

/** The new state after one step of a small network that has one of everything. */
async function trial(backend: Backend, layout: Layout, block: number): Promise<readonly Tensor[]> {
  const step = trainStep(smallNet(block), { loss: crossEntropy(), optimizer: sgd({ rate: 0.1 }), batch: block, layout })
  const outputs = step.state.map(({ output }) => output)
  await using session = await backend.open(step.graph, { threads: 1 })
  const results = await session.run(feeds(step), outputs)
  return outputs.map(name => results[name]!)
}

function smallNet(channels: number): Graph {
  return define(
    { image: f32(['N', 1, 8, 8]) },
    ({ image }, nn) => {
      const convNorm = (kernel: number, stride: number) =>
        nn.sequential(nn.conv(channels, kernel, { stride, padding: (kernel - 1) / 2 }), nn.norm())
      const stem = nn.sequential(convNorm(3, 1), nn.activation('tanh'), nn.maxPool(2))(image)
      const sum = nn.add(convNorm(3, 2)(stem), convNorm(1, 2)(stem))
      return { logits: nn.sequential(nn.activation('relu'), nn.globalPool, nn.linear(2))(sum) }
    },
    { seed: 1 },
  )
}

function feeds(step: TrainStep): Readonly<Record<string, Tensor>> {
  const stream = random(2)
  const pixels = Array.from({ length: step.batch * 64 }, () => stream.uniform())
  const labels = Array.from({ length: step.batch }, (_, i) => i % 2)
  return {
    ...Object.fromEntries(step.state.map(({ input, initial }) => [input, initial])),
    ...Object.fromEntries(step.scalars.map(({ input }) => [input, scalar('float32', 0.1)])),
    [step.data[0]!]: fromNumbers('float32', [step.batch, 1, 8, 8], pixels),
    [step.target.name]: fromNumbers('int64', [step.batch], labels),
  }
}

/** Whether two tensors agree to what float32 can promise. */
function near(actual: Tensor, expected: Tensor): boolean {
  const values = Array.from(numbers(expected))
  const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6)
  return Array.from(numbers(actual)).every((value, i) => Math.abs(value - values[i]!) <= 1e-3 * scale)
}
