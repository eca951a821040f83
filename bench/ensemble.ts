/**
 * What fusing costs: the time of an ensemble's graph over the sum of its members' times, for every combine method, on one
 * thread. Run with `npm run bench:ensemble`. CPU time is what counts: on a busy machine the clock on the wall says
 * more of the neighbours, and the longer a run is.
 */
import { random } from '../src/base/random.ts'
import { float32s } from '../src/base/tensor.ts'
import { ensemble, methods } from '../src/fuse/index.ts'
import type { Graph } from '../src/graph/graph.ts'
import { resnetCifar } from '../src/nn/architectures/resnet-cifar.ts'
import { simpleNet } from '../src/nn/architectures/simple-net.ts'
import { withClassifierHead } from '../src/nn/with-classifier-head.ts'
import { withNormalization } from '../src/nn/with-normalization.ts'
import type { Session } from '../src/runtime/backend.ts'
import { onnxruntimeNode } from '../src/runtime/onnxruntime-node.ts'
import { simplify } from '../src/simplify/index.ts'

const ready = (graph: Graph) =>
  simplify()(withClassifierHead(withNormalization(graph, { mean: 0.13, std: 0.31 }), { logits: 'logits' }))
const resnet = resnetCifar({ depth: 8, channels: 1, size: 28, seed: 3 })

const families: Readonly<Record<string, readonly Graph[]>> = {
  'five of the smallest': [1, 2, 3, 4, 5].map(seed => ready(simpleNet({ kernel: 1, seed }))),
  'three that differ': [simpleNet({ kernel: 3, seed: 1 }), simpleNet({ kernel: 1, seed: 2 }), resnet].map(ready),
}

for (const [title, members] of Object.entries(families)) {
  for (const [batch, runs] of [
    [1, 300],
    [64, 8],
  ] as const) {
    const graphs = [...members, ...methods.map(method => ensemble(members, method()))]
    const times = await cpuTimes(graphs, batch, runs)
    const sum = times.slice(0, members.length).reduce((a, b) => a + b)
    console.log(`${title}, batch ${batch}: ${sum.toFixed(3)} ms for the members one by one`)
    methods.forEach((method, i) => {
      console.log(`  ${method.name.padEnd(18)} x${(times[members.length + i]! / sum).toFixed(3)}`)
    })
  }
}

/** Milliseconds of CPU a run, the lower quartile of rounds in which every graph has its turn. */
async function cpuTimes(graphs: readonly Graph[], batch: number, runs: number): Promise<readonly number[]> {
  const draw = random(1)
  const pixels = Float32Array.from({ length: batch * 784 }, () => draw.integer(256))
  const feeds = { image: float32s([batch, 1, 28, 28], pixels) }
  const sessions: Session[] = []
  for (const graph of graphs) sessions.push(await onnxruntimeNode.open(graph, { threads: 1 }))
  const times = sessions.map((): number[] => [])
  for (let round = 0; round < 13; round++) {
    for (const [i, session] of sessions.entries()) {
      const before = process.cpuUsage()
      for (let run = 0; run < runs; run++) await session.run(feeds)
      const { user, system } = process.cpuUsage(before)
      times[i]!.push((user + system) / 1000 / runs)
    }
  }
  for (const session of sessions) await session[Symbol.asyncDispose]()
  return times.map(list => list.sort((a, b) => a - b)[3]!)
}
