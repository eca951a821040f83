import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { float32s, zeros } from '../base/tensor.ts'
import { node } from '../graph/edit.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { decode } from '../onnx/decode.ts'
import type { Backend } from './backend.ts'

/**
 * How many channels the engine's convolution kernels take as a block on this machine (8 with AVX2, 16 with AVX-512), as
 * its own optimizer shows when it gets to rewrite a convolution. undefined if it has no such kernels here.
 */
export async function blockSize(backend: Backend): Promise<number | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'sinter-layout-'))
  try {
    const optimizedModelPath = join(folder, 'optimized.onnx')
    const session = await backend.open(oneConvolution(), { threads: 1, graphOptimization: 'all', optimizedModelPath })
    await session[Symbol.asyncDispose]()
    const optimized = decode(await readFile(optimizedModelPath))
    const conv = optimized.nodes.find(({ domain, op }) => domain === 'com.microsoft.nchwc' && op === 'Conv')
    // Its four kernels are filled up to a whole block.
    return optimized.initializers.get(conv?.inputs[1] ?? '')?.shape[0]
  } catch {
    return undefined // The engine shows no rewritten graph, or shows it otherwise than expected.
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function oneConvolution(): Graph {
  return {
    ...emptyGraph('one convolution'),
    inputs: [{ name: 'x', type: { dtype: 'float32', shape: [1, 1, 3, 3] } }],
    outputs: [{ name: 'y', type: { dtype: 'float32', shape: [1, 4, 1, 1] } }],
    initializers: new Map([
      ['w', zeros('float32', [4, 1, 3, 3])],
      ['b', float32s([4], [1, 2, 3, 4])],
    ]),
    nodes: [node({ op: 'Conv', name: 'conv', inputs: ['x', 'w', 'b'], outputs: ['y'] })],
  }
}
