import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { float32s, int64s, scalar } from '../base/tensor.ts'
import { type Graph, node } from '../graph/index.ts'
import { rewrite } from '../rewrite/apply.ts'
import { pass, pipe } from '../rewrite/pass.ts'
import { rule } from '../rewrite/rule.ts'
import { onnxruntimeNode as backend } from '../runtime/onnxruntime-node.ts'
import { type Build, checked } from './checked.ts'

const graph = makeGraph({ x: f32('N', 4) }, (op, { x }) => ({
  y: op.Tanh([op.Relu([op.Identity([op.Mul([x, op.constant(scalar('float32', 2), 'two')])])])]),
}))

const identity = rewrite('identity', [
  rule({ name: 'identity', match: ({ op, any }) => op.Identity([any('x')]), replace: ({ x }) => x }),
])
/** Takes a Relu for nothing: true of what is not negative alone. */
const wrong = rewrite('wrong', [
  rule({ name: 'wrong', match: ({ op, any }) => op.Relu([any('x')]), replace: ({ x }) => x }),
])
const alsoWrong = rewrite('also-wrong', [
  rule({
    name: 'also-wrong',
    match: ({ op, any }) => op.Tanh([any('x')]),
    replace: ({ x }, { op }) => op.Sigmoid([x]),
  }),
])
const harmless = pass('harmless', one => one)
const broken = pass('broken', one => ({ ...one, nodes: [] }))
const failing = pass('failing', () => {
  throw new TypeError('no such thing')
})
const refused = pass('refused', one => ({
  ...one,
  opset: { ...one.opset, 'made.up': 1 },
  nodes: one.nodes.map(n => (n.op === 'Tanh' ? node({ ...n, domain: 'made.up' }) : n)),
}))

function steps(...passes: readonly (typeof harmless)[]): { build: Build; names: readonly string[] } {
  const names = passes.map(one => one.title!)
  return {
    names,
    build: skip => (given: Graph) => pipe(given, ...passes.filter(one => !skip.includes(one.title!))),
  }
}
const check = (...passes: readonly (typeof harmless)[]) => {
  const { build, names } = steps(...passes)
  return checked(graph, build, names, { backend })
}
const operators = ({ nodes }: Graph) => nodes.map(({ op }) => op)

describe('checked steps', () => {
  test('that are right are all taken', async () => {
    const found = await check(harmless, identity)
    expect(found).toMatchObject({ skipped: [], unchecked: undefined, equivalence: { same: true } })
    expect(operators(found.graph)).toEqual(['Mul', 'Relu', 'Tanh'])
  })

  test('leave out the one that changes outputs, and tell how', async () => {
    const found = await check(harmless, wrong, identity, harmless)
    expect(found.skipped).toEqual([{ step: 'wrong', why: expect.stringMatching(/output 'y' moves by/) }])
    expect(operators(found.graph)).toEqual(['Mul', 'Relu', 'Tanh'])
    expect(found.equivalence).toMatchObject({ same: true })
  })

  test('leave out several', async () => {
    const found = await check(alsoWrong, identity, wrong)
    expect(found.skipped.map(({ step }) => step).sort()).toEqual(['also-wrong', 'wrong'])
    expect(operators(found.graph)).toEqual(['Mul', 'Relu', 'Tanh'])
  })

  test('leave out what fails, breaks the graph, or makes what the engine refuses', async () => {
    for (const [one, why] of [
      [failing, /no such thing/],
      [broken, /simplifying fails/],
      [refused, /does not take the result/],
    ] as const) {
      const found = await check(identity, one)
      expect(found.skipped).toEqual([{ step: one.title, why: expect.stringMatching(why) }])
      expect(operators(found.graph)).toEqual(['Mul', 'Relu', 'Tanh'])
    }
  })

  test('find a break without an engine too, and say that outputs were not compared', async () => {
    const { build, names } = steps(identity, broken)
    const found = await checked(graph, build, names)
    expect(found).toMatchObject({ skipped: [{ step: 'broken' }], unchecked: 'no engine was given' })
  })

  test('are given up for the original where not even none of them is right', async () => {
    const other = makeGraph({ x: f32('N', 4) }, (op, { x }) => ({ y: op.Neg([x]) }))
    const { build, names } = steps(identity, harmless)
    const found = await checked(graph, build, names, { backend, against: other })
    expect(found.graph).toBe(other)
    expect(found.skipped.map(({ step }) => step)).toEqual(names)
    const asking = checked(graph, build, names, { backend, against: other, asked: 'in opset 5' })
    await expect(asking).rejects.toMatchObject({
      code: 'not-supported',
      message: /cannot be written in opset 5: output/,
    })
  })

  test('say why outputs are not compared where the engine does not run the original', async () => {
    const custom = refused(graph)
    const { build, names } = steps(identity)
    const found = await checked(custom, build, names, { backend })
    expect(found.unchecked).toMatch(/made.up/)
    expect(operators(found.graph)).not.toContain('Identity')
  })

  test('make nothing that the engine refuses of a graph that it takes but does not run', async () => {
    const never = makeGraph({ x: f32('N', 4) }, (op, { x }) => ({
      y: op.Tanh([op.Reshape([x, op.constant(int64s([7, 11]), 's')])]),
    }))
    const { build, names } = steps(refused)
    const found = await checked(never, build, names, { backend })
    expect(found.skipped).toEqual([{ step: 'refused', why: expect.stringMatching(/does not take the result/) }])
    expect(found.unchecked).toMatch(/None of/)
  })

  test('throw for feeds that do not fit, and when stopped', async () => {
    const { build, names } = steps(identity)
    const feeds = [{ x: float32s([1, 3], [1, 2, 3]) }]
    await expect(checked(graph, build, names, { backend, feeds })).rejects.toMatchObject({ code: 'invalid-argument' })
    const other = [{ x: float32s([2, 3], [1, 2, 3, 4, 5, 6]) }]
    const picky = makeGraph({ x: f32('N', 'M') }, (op, { x }) => ({
      y: op.MatMul([x, op.constant(float32s([4, 1], [1, 2, 3, 4]), 'w')]),
    }))
    const failing = {
      code: 'runtime-failed',
      message: expect.stringMatching(/The original does not run on the inputs/),
    }
    await expect(checked(picky, build, names, { backend, feeds: other })).rejects.toMatchObject(failing)
    const shapes = { x: [2, 3] }
    await expect(checked(picky, build, names, { backend, shapes })).rejects.toThrow(
      /does not run on the shapes .*[^.]\. Give/,
    )
    await expect(checked(graph, build, names, { signal: AbortSignal.abort() })).rejects.toThrow()
  })
})
