import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as sinter from './node.ts'

const root = resolve(import.meta.dirname, '..')

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}

describe('the front doors', () => {
  test('give what a user writes with', () => {
    const names = [
      ...[
        'load',
        'save',
        'pipe',
        'simplify',
        'prune',
        'define',
        'f32',
        'train',
        'crossEntropy',
        'adamW',
        'sgd',
        'cosine',
      ],
      ...[
        'ensemble',
        'average',
        'weightedAverage',
        'majorityVote',
        'choose',
        'metrics',
        'predict',
        'defineConfig',
        'run',
      ],
    ]
    expect(names.filter(name => typeof (sinter as Record<string, unknown>)[name] === 'undefined')).toEqual([])
  })

  test('load no engine before something runs', async () => {
    const engines = () => {
      const { sharedObjects } = process.report.getReport() as unknown as { readonly sharedObjects: readonly string[] }
      return sharedObjects.filter(file => file.includes('onnxruntime')).length
    }
    expect(engines()).toBe(0)
    const net = sinter.define({ x: sinter.f32(['N', 2]) }, ({ x }, nn) => ({ y: nn.relu(x!) }), { seed: 1 })
    sinter.encode(sinter.pipe(net, sinter.simplify()))
    expect(engines()).toBe(0)
    await using _session = await sinter.onnxruntimeNode.open(net)
    expect(engines()).toBeGreaterThan(0)
  })

  test('are each made of a source file', () => {
    const { exports } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as Manifest
    const targets = Object.values(exports).flatMap(target => (typeof target === 'string' ? [] : Object.values(target)))
    const sources = targets.map(target => target.replace('./dist/', 'src/').replace(/(\.d)?\.[jt]s$/, '.ts'))
    expect(sources.filter(source => !existsSync(resolve(root, source)))).toEqual([])
  })
})
