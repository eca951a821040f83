import { random } from '../../src/base/random.ts'
import { elementCount } from '../../src/base/shape.ts'
import { fromNumbers, scalar, type Tensor } from '../../src/base/tensor.ts'
import { crossEntropy, type Layout, sgd, type TrainStep, trainStep } from '../../src/gradient/index.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { mlp } from '../../src/nn/architectures/mlp.ts'
import { resnetCifar } from '../../src/nn/architectures/resnet-cifar.ts'
import { simpleNet } from '../../src/nn/architectures/simple-net.ts'
import { onnxruntimeNode } from '../../src/runtime/onnxruntime-node.ts'
import type { Profile } from '../../src/runtime/profile.ts'
import { profileGraph } from '../../src/runtime/profile-graph.ts'
import { type FormTiming, preferred, tune } from '../../src/train/tune.ts'
import { batch, type Contender, classes, type Net, now } from './contender.ts'

const graphs: Readonly<Record<Net, () => Graph>> = {
  mlp: () => mlp({ input: [784], hidden: [512, 512], classes, seed: 1 }),
  'simple-net-3x3': () => simpleNet({ kernel: 3, seed: 1 }),
  'resnet-8': () => resnetCifar({ depth: 8, channels: 1, size: 28, seed: 1 }),
}

export interface Own extends Contender {
  /** How fast each formulation was that a gradient could take. */
  readonly timings: readonly FormTiming[]
  profile(): Promise<Profile>
}

/** Sinter's step in a layout, with the formulations that `tune` finds fastest, as `train` compiles it. */
export async function sinter(net: Net, layout: Layout, threads: number, cpu: boolean): Promise<Own> {
  const options = { loss: crossEntropy(), optimizer: sgd({ rate: 0.05, momentum: 0.9 }), batch, layout }
  const graph = graphs[net]()
  const timings = await tune(trainStep(graph, options).choices, { backend: onnxruntimeNode, threads })
  const step = trainStep(graph, { ...options, forms: preferred(timings) })
  const session = await onnxruntimeNode.open(step.graph, { threads })
  const fetch = [step.loss, ...step.state.map(({ output }) => output)]
  const fixed = fixedFeeds(step)
  let state = new Map(step.state.map(({ input, initial }) => [input, initial]))
  return {
    name: `Sinter ${layout === 'portable' ? layout : `in blocks of ${layout.block}`}`,
    timings,
    async run(steps) {
      const times: number[] = []
      for (let i = 0; i < steps; i++) {
        const start = now(cpu)
        const results = await session.run({ ...Object.fromEntries(state), ...fixed }, fetch)
        state = new Map(step.state.map(({ input, output }) => [input, results[output]!]))
        times.push(now(cpu) - start)
      }
      return times
    },
    profile: () => profileGraph(onnxruntimeNode, step.graph, { ...Object.fromEntries(state), ...fixed }, { threads }),
    close: () => session[Symbol.asyncDispose](),
  }
}

/** Random images, labels and the rate. */
function fixedFeeds(step: TrainStep): Readonly<Record<string, Tensor>> {
  const stream = random(3)
  const [data] = step.data as [string]
  const { shape } = step.graph.inputs.find(({ name }) => name === data)!.type as { readonly shape: readonly number[] }
  const pixels = Array.from({ length: elementCount(shape) }, () => stream.uniform())
  const labels = Array.from({ length: batch }, () => stream.integer(classes))
  return {
    [data]: fromNumbers('float32', shape, pixels),
    [step.target.name]: fromNumbers('int64', [batch], labels),
    ...Object.fromEntries(step.scalars.map(({ input }) => [input, scalar('float32', 0.05)])),
  }
}
