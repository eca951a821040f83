import { describe, expect, test } from 'vitest'
import { elementCount, isTensorType } from '../../base/shape.ts'
import { zeros as zeroTensor } from '../../base/tensor.ts'
import { check } from '../../graph/check.ts'
import type { Graph } from '../../graph/graph.ts'
import { infer } from '../../read/infer.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { mlp } from './mlp.ts'
import { resnet } from './resnet.ts'
import { resnetCifar } from './resnet-cifar.ts'
import { simpleNet } from './simple-net.ts'

/** Weights and biases: what PyTorch calls parameters, without the running statistics and the shapes of Pad. */
function parameterCount(graph: Graph): number {
  let count = 0
  for (const [name, { dtype, shape }] of graph.initializers)
    if (dtype === 'float32' && !name.includes('running_')) count += elementCount(shape)
  return count
}

async function outputShape(graph: Graph, rows: number): Promise<readonly number[]> {
  const input = graph.inputs[0]!.type
  if (!isTensorType(input)) throw new Error('an image is a tensor')
  await using session = await onnxruntimeNode.open(graph, { threads: 1 })
  const image = zeroTensor('float32', [rows, ...(input.shape!.slice(1) as number[])])
  return (await session.run({ image })).logits!.shape
}

const counts: readonly (readonly [graph: () => Graph, parameters: number])[] = [
  // 784 x 512 + 512, 512 x 512 + 512, 512 x 10 + 10
  [() => mlp({ input: [784], hidden: [512, 512], classes: 10, seed: 1 }), 669_706],
  [() => mlp({ input: [1, 28, 28], hidden: [32], classes: 10, activation: 'tanh', seed: 1 }), 25_450],
  // 9 x 32 + 32, 9 x 32 x 64 + 64, 7 x 7 x 64 x 10 + 10
  [() => simpleNet({ kernel: 3, seed: 1 }), 50_186],
  // 9 x 32 + 32, 4 x 32 x 64 + 64, 4 x 4 x 64 x 10 + 10
  [() => simpleNet({ kernel: 1, seed: 1 }), 18_826],
  [() => simpleNet({ kernel: 1, channels: 3, size: 32, seed: 1 }), 3 * 288 + 32 + 8256 + 16_010],
  // The paper's 0.27 M; option A has 269,722, two projections with their norms add 2,752.
  [() => resnetCifar({ depth: 20, seed: 1 }), 272_474],
  [() => resnetCifar({ depth: 56, seed: 1 }), 855_770],
  [() => resnetCifar({ depth: 8, channels: 1, size: 28, seed: 1 }), 77_754],
]

describe('architectures', () => {
  for (const [make, parameters] of counts) {
    const graph = make()
    test(`${graph.name} on [${inputShape(graph)}] has ${parameters} parameters and gives logits`, async () => {
      expect(check(graph)).toEqual([])
      expect(parameterCount(graph)).toBe(parameters)
      expect(graph.outputs).toEqual([{ name: 'logits', type: { dtype: 'float32', shape: ['N', 10] } }])
      expect(await outputShape(graph, 3)).toEqual([3, 10])
    })
  }

  test('are the same from the same seed', () => {
    expect(simpleNet({ kernel: 3, seed: 4 })).toEqual(simpleNet({ kernel: 3, seed: 4 }))
    expect(simpleNet({ kernel: 3, seed: 4 })).not.toEqual(simpleNet({ kernel: 3, seed: 5 }))
  })
})

describe('resnet', () => {
  // As `sum(p.numel() for p in torchvision.models.resnet18().parameters())` says, and so on.
  const published = { 18: 11_689_512, 34: 21_797_672, 50: 25_557_032 } as const
  for (const depth of [18, 34, 50] as const) {
    test(`-${depth} has torchvision's parameters`, () => {
      const graph = resnet({ depth, seed: 1 })
      expect(parameterCount(graph)).toBe(published[depth])
      expect(infer(graph).get('logits')).toEqual({ dtype: 'float32', shape: ['N', 1000] })
    })
  }

  test("has torchvision's names and runs at other sizes", async () => {
    const graph = resnet({ depth: 18, size: 64, classes: 5, seed: 1 })
    expect([...graph.initializers.keys()].slice(0, 11)).toEqual([
      'conv1.weight',
      'bn1.weight',
      'bn1.bias',
      'bn1.running_mean',
      'bn1.running_var',
      'layer1.0.conv1.weight',
      'layer1.0.bn1.weight',
      'layer1.0.bn1.bias',
      'layer1.0.bn1.running_mean',
      'layer1.0.bn1.running_var',
      'layer1.0.conv2.weight',
    ])
    expect([...graph.initializers.keys()].filter(name => name.startsWith('layer2.0.downsample')).sort()).toEqual([
      'layer2.0.downsample.0.weight',
      'layer2.0.downsample.1.bias',
      'layer2.0.downsample.1.running_mean',
      'layer2.0.downsample.1.running_var',
      'layer2.0.downsample.1.weight',
    ])
    expect(await outputShape(graph, 2)).toEqual([2, 5])
  })
})

describe('resnet for small images', () => {
  test('halves the size and doubles the channels from stage to stage', () => {
    const types = infer(resnetCifar({ depth: 8, channels: 1, size: 28, seed: 1 }))
    expect(types.get('layer1.0/add')).toMatchObject({ shape: ['N', 16, 28, 28] })
    expect(types.get('layer2.0/add')).toMatchObject({ shape: ['N', 32, 14, 14] })
    expect(types.get('layer3.0/add')).toMatchObject({ shape: ['N', 64, 7, 7] })
  })

  test('has a width and an activation', () => {
    const graph = resnetCifar({ depth: 8, width: 0.5, activation: 'leakyRelu', seed: 1 })
    expect(graph.initializers.get('layer3.0.conv2.weight')?.shape).toEqual([32, 32, 3, 3])
    const used = new Set(graph.nodes.map(node => node.op))
    expect(used.has('LeakyRelu')).toBe(true)
    expect(used.has('Relu')).toBe(false)
  })

  test('can begin each block as its shortcut', () => {
    const graph = resnetCifar({ depth: 8, zeroInit: true, seed: 1 })
    expect(graph.initializers.get('layer1.0.bn2.weight')?.data.every((value: unknown) => value === 0)).toBe(true)
    expect(graph.initializers.get('layer1.0.bn1.weight')?.data.every((value: unknown) => value === 1)).toBe(true)
  })

  test('of another depth is refused', () => {
    for (const depth of [2, 9, 18.5])
      expect(() => resnetCifar({ depth, seed: 1 })).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })
})

function inputShape(graph: Graph): string {
  const type = graph.inputs[0]!.type
  return isTensorType(type) ? String(type.shape) : '?'
}
