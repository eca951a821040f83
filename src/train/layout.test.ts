import { describe, expect, test } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import type { Backend, OpenOptions, Session } from '../runtime/backend.ts'
import { blockSize } from '../runtime/block-size.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { fastestLayout } from './layout.ts'

const block = await blockSize(onnxruntimeNode)
const why = block ? '' : ' (skipped: the kernels of this CPU have no blocks)'
const isBlocked = (model: Graph | Uint8Array) =>
  !(model instanceof Uint8Array) && model.nodes.some(({ domain }) => domain === 'com.microsoft.nchwc')

/** The engine, with another way to open graphs. */
function engine(open: (model: Graph | Uint8Array, options?: OpenOptions) => Promise<Session>): Backend {
  return { name: 'a changed engine', open }
}

describe.skipIf(!block)(`the fastest layout${why}`, () => {
  test('is in blocks of the size that the engine itself uses', async () => {
    expect([8, 16]).toContain(block)
    expect(await fastestLayout(onnxruntimeNode)).toEqual({ block })
  })

  test('is found once for each engine', () => {
    expect(fastestLayout(onnxruntimeNode)).toBe(fastestLayout(onnxruntimeNode))
  })

  test('is portable where the engine refuses blocked steps', async () => {
    const strict = engine((model, options) => {
      if (isBlocked(model)) throw new Error('input and filter shapes do not match a supported blocked layout')
      return onnxruntimeNode.open(model, options)
    })
    expect(await fastestLayout(strict)).toBe('portable')
  })

  test('is portable where blocked steps compute something else', async () => {
    const wrong = engine(async (model, options) => {
      const session = await onnxruntimeNode.open(model, options)
      if (!isBlocked(model)) return session
      const run: Session['run'] = async (feeds, fetch) => {
        const results = await session.run(feeds, fetch)
        const last = Object.values(results).at(-1)!
        ;(last.data as Float32Array)[0]! += 0.1
        return results
      }
      return { ...session, run, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() }
    })
    expect(await fastestLayout(wrong)).toBe('portable')
  })
})

test('the fastest layout is portable where the engine does not show what it makes of a convolution', async () => {
  const silent = engine((model, { optimizedModelPath: _, ...options } = {}) => onnxruntimeNode.open(model, options))
  expect(await fastestLayout(silent)).toBe('portable')
})
