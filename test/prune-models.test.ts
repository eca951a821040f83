import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { dropBlock, insideBlocks, residualBlocks } from '../src/compact/drop-blocks.ts'
import { type PruneOptions, type PrunePlan, planPruning } from '../src/compact/plan-pruning.ts'
import { prunable } from '../src/compact/prunable.ts'
import { prune } from '../src/compact/prune.ts'
import { mask } from '../src/compact/testing/mask.ts'
import { distance, run } from '../src/compact/testing/run.ts'
import { check } from '../src/graph/check.ts'
import type { Graph } from '../src/graph/graph.ts'
import { resnet } from '../src/nn/architectures/resnet.ts'
import { resnetCifar } from '../src/nn/architectures/resnet-cifar.ts'
import { simpleNet } from '../src/nn/architectures/simple-net.ts'
import { decode } from '../src/onnx/decode.ts'
import { randomFeeds } from './support/same-outputs.ts'

async function expectMasked(graph: Graph, made: PrunePlan, bind?: Readonly<Record<string, number>>): Promise<Graph> {
  const pruned = prune(graph, made)
  expect(check(pruned)).toEqual([])
  const byName = new Map(prunable(graph).groups.map(group => [group.name, group]))
  const removals = made.groups.map(({ name, remove }) => ({ group: byName.get(name)!, slots: remove }))
  const feeds = randomFeeds(graph, 3, bind)
  expect(distance(await run(mask(graph, removals), feeds), await run(pruned, feeds))).toBeLessThan(2e-5)
  return pruned
}

describe('the architectures', () => {
  const nets: Readonly<Record<string, () => Graph>> = {
    'resnet-8': () => resnetCifar({ depth: 8, channels: 1, size: 28, seed: 1 }),
    'resnet-20 of twice the width': () => resnetCifar({ depth: 20, width: 2, seed: 1 }),
    'simple-net-3x3': () => simpleNet({ kernel: 3, seed: 1 }),
    'simple-net-1x1': () => simpleNet({ kernel: 1, seed: 1 }),
  }
  for (const [name, make] of Object.entries(nets)) {
    it(`are cut to half of their multiply-accumulates: ${name}`, async () => {
      const graph = make()
      const made = planPruning(graph, { macs: 0.5 })
      expect(made.after.macs! / made.before.macs!).toBeLessThanOrEqual(0.5)
      expect(made.after.macs! / made.before.macs!).toBeGreaterThan(0.35)
      await expectMasked(graph, made)
    })
  }

  it('lose every channel group of resnet-50 to the same share, in time', () => {
    const graph = resnet({ depth: 50, seed: 1 })
    const started = performance.now()
    const made = planPruning(graph, { keep: 0.5 })
    const pruned = prune(graph, made)
    expect(performance.now() - started).toBeLessThan(5000)
    expect(made.groups.every(({ slots, remove }) => remove.length === slots / 2)).toBe(true)
    expect(pruned.initializers.get('fc.weight')!.shape).toEqual([1000, 1024])
  })

  it('keep their trunk where only the insides of blocks are cut', async () => {
    const graph = resnetCifar({ depth: 14, seed: 1 })
    const made = planPruning(graph, { keep: 0.5, only: insideBlocks(graph), roundTo: 8 })
    const pruned = await expectMasked(graph, made)
    expect(pruned.initializers.get('fc.weight')!.shape).toEqual(graph.initializers.get('fc.weight')!.shape)
    expect(made.groups.filter(group => group.remove.length > 0)).toHaveLength(6)
  })

  it('lose whole blocks', async () => {
    const graph = resnetCifar({ depth: 14, seed: 1 })
    const removable = residualBlocks(graph).filter(block => block.removable)
    expect(removable).toHaveLength(4)
    const bare = removable.reduce((net, { name }) => dropBlock(net, name), graph)
    expect(check(bare)).toEqual([])
    expect(residualBlocks(bare)).toHaveLength(2)
    await run(bare, randomFeeds(bare, 5))
  })
})

const folder = '../shared/models'

describe.skipIf(!existsSync(folder))('models from elsewhere (skipped where ../shared is absent)', () => {
  const load = (name: string) => decode(new Uint8Array(readFileSync(`${folder}/${name}.onnx`)))
  const threeQuarters: PruneOptions = { keep: 0.75 }

  it.each([
    ['mobilenet_v2_fp32', {}],
    ['super_resolution', { batch_size: 1 }],
    ['ultraface_rfb320_raw', {}],
    ['ultraface_rfb320_simplified', {}],
    ['yunet_n_dynamic', { batch: 1, height: 64, width: 96 }],
    ['mnist-8', {}],
    ['ppocr_v2_cls', { 'p2o.DynamicDimension.1': 48, 'p2o.DynamicDimension.2': 96 }],
    ['ppocr_v4_rec', { 'p2o.DynamicDimension.1': 96 }],
  ])('are cut to three quarters of their channels: %s', async (name, bind) => {
    const graph = load(name)
    const made = planPruning(graph, threeQuarters)
    expect(made.after.parameters).toBeLessThan(0.8 * made.before.parameters)
    await expectMasked(graph, made, bind)
  })

  it.each(['gtcrn_simplified', 'silero_vad_v6_ifless', 'dtln_model_1', 'aidreams260K_llama', 'magika_v3_3'])(
    'say of each channel that stays why it does: %s',
    async name => {
      const graph = load(name)
      const made = planPruning(graph, threeQuarters)
      expect(made.pinned.length).toBeGreaterThan(0)
      expect(made.pinned.every(({ reason }) => reason.length > 10)).toBe(true)
      expect(check(prune(graph, made))).toEqual([])
    },
  )

  it('take less than a second for MobileNetV2', () => {
    const graph = load('mobilenet_v2_fp32')
    const started = performance.now()
    prune(graph, planPruning(graph, threeQuarters))
    expect(performance.now() - started).toBeLessThan(1000)
  })
})
