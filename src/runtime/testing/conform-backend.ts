import { describe, expect, test } from 'vitest'
import { type DType, dtypes } from '../../base/dtype.ts'
import { float32s, int64s, type Tensor, tensor } from '../../base/tensor.ts'
import { attribute } from '../../graph/attributes.ts'
import type { Graph } from '../../graph/graph.ts'
import { encode } from '../../onnx/encode.ts'
import { type Backend, type Feeds, graphOptimizations } from '../backend.ts'
import { f32, graphOf } from './graphs.ts'

/** What every backend must do. Call it at the top of a test file. */
export function conformBackend(backend: Backend): void {
  /** sum = a + b, difference = a - b, for vectors of any size. */
  const arithmetic = graphOf({
    inputs: { a: f32('N'), b: f32('N') },
    outputs: { sum: f32('N'), difference: f32('N') },
    nodes: [
      { op: 'Add', name: 'add', inputs: ['a', 'b'], outputs: ['sum'] },
      { op: 'Sub', name: 'sub', inputs: ['a', 'b'], outputs: ['difference'] },
    ],
  })
  const feeds = { a: float32s([3], [1, 2, 3]), b: float32s([3], [10, 20, 30]) }

  async function once(graph: Graph, fed: Feeds, fetch?: readonly string[]) {
    await using session = await backend.open(graph)
    return await session.run(fed, fetch)
  }

  function identity(dtype: DType): Graph {
    return graphOf({
      inputs: { x: { dtype, shape: undefined } },
      outputs: { y: { dtype, shape: undefined } },
      nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    })
  }

  describe(`${backend.name} runs graphs`, () => {
    test('from a graph and from the bytes of a file alike', async () => {
      await using session = await backend.open(encode(arithmetic))
      const fromBytes = await session.run(feeds)
      expect(fromBytes).toEqual({ sum: float32s([3], [11, 22, 33]), difference: float32s([3], [-9, -18, -27]) })
      expect(await once(arithmetic, feeds)).toEqual(fromBytes)
    })

    test('and computes only what is fetched', async () => {
      expect(Object.keys(await once(arithmetic, feeds, ['difference']))).toEqual(['difference'])
      expect(await once(arithmetic, feeds, [])).toEqual({})
    })

    test('and says what goes in and out', async () => {
      await using session = await backend.open(arithmetic)
      expect(session.inputs).toEqual(arithmetic.inputs)
      expect(session.outputs).toEqual(arithmetic.outputs)
    })

    test('with sizes that change from run to run', async () => {
      await using session = await backend.open(arithmetic)
      for (const size of [1, 5, 0, 2]) {
        const ones = float32s([size], new Float32Array(size).fill(1))
        expect((await session.run({ a: ones, b: ones })).sum).toEqual(float32s([size], new Float32Array(size).fill(2)))
      }
    })

    test('whatever the optimisation, the threads and the memory', async () => {
      for (const graphOptimization of graphOptimizations) {
        for (const spinning of [true, false]) {
          await using session = await backend.open(arithmetic, {
            threads: 1,
            graphOptimization,
            spinning,
            memoryPattern: false,
          })
          expect((await session.run(feeds)).sum).toEqual(float32s([3], [11, 22, 33]))
        }
      }
    })

    test('whose inputs state no rank, for whatever ranks they are fed', async () => {
      const graph = graphOf({
        inputs: { x: { dtype: 'float32', shape: undefined }, y: { dtype: 'float32', shape: undefined } },
        outputs: { z: undefined },
        nodes: [{ op: 'MatMul', inputs: ['x', 'y'], outputs: ['z'] }],
      })
      await using session = await backend.open(graph)
      const x = float32s([1, 2], [1, 2])
      for (let i = 0; i < 2; i++) {
        expect((await session.run({ x, y: float32s([2], [3, 4]) })).z).toEqual(float32s([1], [11]))
        expect((await session.run({ x, y: float32s([2, 1], [3, 4]) })).z).toEqual(float32s([1, 1], [11]))
      }
      await expect(session.run({ x, y: float32s([], [3]) })).rejects.toMatchObject({ code: 'invalid-argument' })
    })

    test('of which an input with a default value needs no feed', async () => {
      const graph = graphOf({
        inputs: { x: f32(2), bias: f32(2) },
        outputs: { y: f32(2) },
        nodes: [{ op: 'Add', inputs: ['x', 'bias'], outputs: ['y'] }],
        initializers: { bias: float32s([2], [5, 6]) },
      })
      expect((await once(graph, { x: float32s([2], [1, 1]) })).y).toEqual(float32s([2], [6, 7]))
    })

    test('several at a time without mixing them up', async () => {
      await using first = await backend.open(arithmetic, { threads: 1 })
      await using second = await backend.open(arithmetic, { threads: 1 })
      const runs = Array.from({ length: 20 }, async (_, i) => {
        const results = await (i % 2 === 0 ? first : second).run({ a: float32s([1], [i]), b: float32s([1], [1]) })
        return results.sum!.data[0]
      })
      expect(await Promise.all(runs)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    })
  })

  describe(`${backend.name} hands tensors back and forth`, () => {
    const samples: readonly Tensor[] = [
      tensor('float32', [2, 2], Float32Array.of(1.5, -0, Number.POSITIVE_INFINITY, Number.NaN)),
      tensor('float64', [2], Float64Array.of(0.1, 1e300)),
      tensor('float16', [3], Uint16Array.of(0x3c00, 0x7bff, 0x0001)),
      tensor('int8', [2], Int8Array.of(-128, 127)),
      tensor('uint8', [2], Uint8Array.of(0, 255)),
      tensor('int16', [2], Int16Array.of(-32768, 32767)),
      tensor('uint16', [2], Uint16Array.of(0, 65535)),
      tensor('int32', [2], Int32Array.of(-(2 ** 31), 2 ** 31 - 1)),
      tensor('uint32', [2], Uint32Array.of(0, 2 ** 32 - 1)),
      tensor('int64', [2], BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)),
      tensor('uint64', [2], BigUint64Array.of(0n, 2n ** 64n - 1n)),
      tensor('bool', [3], Uint8Array.of(0, 1, 0)),
      tensor('string', [1, 3], ['', 'plain', 'süß 字']),
      tensor('float32', [], Float32Array.of(7)),
      tensor('int64', [2, 0, 3], new BigInt64Array(0)),
      tensor('float32', [2], new Float32Array([9, 9, 1, 2, 9]).subarray(2, 4)),
    ]
    for (const sample of samples) {
      test(`${sample.dtype} [${sample.shape}] of ${sample.data.length}`, async () => {
        const { y } = await once(identity(sample.dtype), { x: sample })
        expect(y).toEqual({ ...sample, data: sample.data.slice() })
        expect(y!.data.constructor).toBe(sample.data.constructor)
      })
    }

    const covered = new Set<DType>(samples.map(({ dtype }) => dtype))
    for (const dtype of dtypes.filter(one => !covered.has(one))) {
      test(`but not ${dtype}, which is refused with a reason`, async () => {
        await expect(backend.open(identity(dtype))).rejects.toMatchObject({ code: 'not-supported', details: { dtype } })
      })
    }

    test('but not a 4-bit output whose type the graph leaves to inference', async () => {
      const graph = graphOf({
        inputs: { x: f32(4) },
        outputs: { y: undefined },
        nodes: [{ op: 'Cast', inputs: ['x'], outputs: ['y'], attributes: { to: attribute.int(22) } }],
      })
      await expect(backend.open(graph)).rejects.toMatchObject({ code: 'not-supported' })
    })

    test('4-bit numbers inside of a graph are its own affair', async () => {
      const cast = (from: string, into: string, type: number) => ({
        op: 'Cast',
        inputs: [from],
        outputs: [into],
        attributes: { to: attribute.int(type) },
      })
      const graph = graphOf({
        inputs: { x: f32(3) },
        outputs: { y: f32(3) },
        nodes: [cast('x', 'q', 22), cast('q', 'y', 1)],
      })
      expect((await once(graph, { x: float32s([3], [-8, 0.6, 7]) })).y).toEqual(float32s([3], [-8, 1, 7]))
    })

    test('reading feeds without changing them, and giving results away', async () => {
      await using session = await backend.open(arithmetic)
      const kept = structuredClone(feeds)
      const first = await session.run(feeds)
      ;(first.sum!.data as Float32Array).fill(-1)
      expect((await session.run(feeds)).sum).toEqual(float32s([3], [11, 22, 33]))
      expect(feeds).toEqual(kept)
    })
  })

  describe(`${backend.name} refuses`, () => {
    const wrong: readonly (readonly [what: string, feeds: Feeds, says: RegExp])[] = [
      ['a missing feed', { a: feeds.a }, /'b'.*missing/],
      ['an unknown feed', { ...feeds, c: feeds.a }, /no input 'c'/],
      ['another type', { ...feeds, b: int64s([1, 2, 3]) }, /'b' wants float32\[N\], but was fed int64\[3\]/],
      ['another rank', { ...feeds, b: float32s([1, 3], [1, 2, 3]) }, /'b' wants float32\[N\]/],
      ['two sizes for one symbol', { ...feeds, b: float32s([2], [1, 2]) }, /N is 3 in 'a' but 2 in 'b'/],
      ['an array shorter than its shape', { ...feeds, b: { ...feeds.b, data: new Float32Array(2) } }, /array has 2/],
      ['an array of another type', { ...feeds, b: { ...feeds.b, data: new Int32Array(3) } }, /float32/],
    ]
    for (const [what, fed, says] of wrong) {
      test(what, async () => {
        await expect(once(arithmetic, fed)).rejects.toMatchObject({
          code: 'invalid-argument',
          message: expect.stringMatching(says),
        })
      })
    }

    test('another fixed size', async () => {
      const graph = graphOf({
        inputs: { x: f32('N', 2) },
        outputs: { y: f32('N', 2) },
        nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }],
      })
      await expect(once(graph, { x: float32s([1, 3], [1, 2, 3]) })).rejects.toMatchObject({
        code: 'invalid-argument',
        details: { input: 'x' },
      })
    })

    test('to fetch what is no output', async () => {
      await expect(once(arithmetic, feeds, ['a'])).rejects.toMatchObject({ code: 'invalid-argument' })
    })

    test('bytes that are no model, or only a part of one', async () => {
      await expect(backend.open(new Uint8Array(100).fill(7))).rejects.toMatchObject({ code: 'invalid-model' })
      const whole = encode(arithmetic)
      await expect(backend.open(whole.subarray(0, whole.length - 5))).rejects.toMatchObject({ code: 'invalid-model' })
    })

    test('graphs that break the rules', async () => {
      const dangling = graphOf({
        inputs: { x: f32(2) },
        outputs: { y: f32(2) },
        nodes: [{ op: 'Add', name: 'add', inputs: ['x', 'nowhere'], outputs: ['y'] }],
      })
      await expect(backend.open(dangling)).rejects.toMatchObject({
        code: 'invalid-graph',
        message: expect.stringContaining('nowhere'),
      })
    })

    test('an operator that it does not know, naming the node', async () => {
      const unknown = graphOf({
        inputs: { x: f32(2) },
        outputs: { y: f32(2) },
        nodes: [{ op: 'Sparkle', domain: 'nobody.knows', name: 'sparkle1', inputs: ['x'], outputs: ['y'] }],
      })
      const open = backend.open({ ...unknown, opset: { ...unknown.opset, 'nobody.knows': 1 } })
      await expect(open).rejects.toMatchObject({ code: 'runtime-failed', message: expect.stringContaining('Sparkle') })
    })

    test('options that make no sense', async () => {
      for (const options of [{ threads: 0 }, { threads: 1.5 }, { graphOptimization: 'most' as 'all' }, { profile: '' }])
        await expect(backend.open(arithmetic, options)).rejects.toMatchObject({ code: 'invalid-argument' })
    })
  })

  describe(`${backend.name} fails`, () => {
    test('rather than ending the process, where a rank is wrong that no input states', async () => {
      const graph = graphOf({
        inputs: { a: { dtype: 'float32', shape: undefined }, b: { dtype: 'float32', shape: undefined } },
        outputs: { y: undefined },
        nodes: [
          { op: 'Einsum', inputs: ['a', 'b'], outputs: ['y'], attributes: { equation: attribute.string('ij,jk->ik') } },
        ],
      })
      const fed = { a: float32s([4], [1, 2, 3, 4]), b: float32s([2, 3], [1, 2, 3, 4, 5, 6]) }
      await expect(once(graph, fed)).rejects.toMatchObject({ code: 'invalid-argument' })
    })

    test('naming the node that could not be run, and lives on', async () => {
      const graph = graphOf({
        inputs: { x: f32('N'), shape: { dtype: 'int64', shape: [1] } },
        outputs: { y: f32('M') },
        nodes: [{ op: 'Reshape', name: 'reshape to shape', inputs: ['x', 'shape'], outputs: ['y'] }],
      })
      await using session = await backend.open(graph)
      const x = float32s([4], [1, 2, 3, 4])
      await expect(session.run({ x, shape: int64s([3]) })).rejects.toMatchObject({
        code: 'runtime-failed',
        details: { node: 'reshape to shape' },
        message: expect.stringContaining("Reshape 'reshape to shape'"),
      })
      expect((await session.run({ x, shape: int64s([4]) })).y).toEqual(x)
    })
  })

  describe(`${backend.name} disposes`, () => {
    test('once, however often it is told to, and does not run after', async () => {
      const session = await backend.open(arithmetic)
      await session[Symbol.asyncDispose]()
      await session[Symbol.asyncDispose]()
      await expect(session.run(feeds)).rejects.toMatchObject({ code: 'invalid-argument' })
    })

    test('after the runs under way', async () => {
      const session = await backend.open(arithmetic)
      const run = session.run(feeds)
      await session[Symbol.asyncDispose]()
      expect((await run).sum).toEqual(float32s([3], [11, 22, 33]))
    })
  })
}
