import { describe, expect, test } from 'vitest'
import { formatType, isTensorType } from '../src/base/shape.ts'
import { numbers, type Tensor } from '../src/base/tensor.ts'
import type { Graph } from '../src/graph/graph.ts'
import { encode } from '../src/onnx/encode.ts'
import { check } from '../src/read/check.ts'
import { cost } from '../src/read/cost.ts'
import { infer } from '../src/read/infer.ts'
import { upgrade } from '../src/read/upgrade.ts'
import { onnxruntimeNode } from '../src/runtime/onnxruntime-node.ts'
import { simplify } from '../src/simplify/index.ts'
import { type GoldenModel, goldenModels } from './support/golden-models.ts'

const folders = ['table-models', 'optimized-models'] as const

describe.each(folders)('%s, as other programs write them', folder => {
  const models = goldenModels(folder)

  test.each(models)('$name is sound, and every value in it is of a known type', ({ graph: read }) => {
    const graph = read()
    expect(check(graph)).toEqual([])
    const types = infer(withoutTypes(graph))
    for (const node of graph.nodes) {
      for (const name of node.outputs) {
        const type = types.get(name)
        if (name !== '') expect(isTensorType(type) ? type.shape : type, `${node.op}: ${name}`).toBeDefined()
      }
    }
  })

  test.each(models)('$name has outputs of the types that are inferred for what it is fed', model => {
    const types = infer(fed(withoutTypes(model.graph()), model))
    for (const [name, { dtype, shape }] of Object.entries(model.results)) {
      expect(formatType(types.get(name))).toBe(formatType({ dtype, shape }))
    }
  })

  test.each(models)('$name gives what it gave there, upgraded, simplified and written again', async model => {
    const graph = tensorsOnly(model.graph(), model)
    // Such a file is for machines with blocks of the size of the one that wrote it.
    if (graph.nodes.some(({ domain }) => domain === 'com.microsoft.nchwc')) return
    const { graph: newer, refused } = upgrade(graph)
    expect(refused).toEqual([])
    expect(check(newer)).toEqual([])
    const simple = simplify()(newer)
    expect(check(simple)).toEqual([])
    for (const one of [newer, simple]) {
      await using session = await onnxruntimeNode.open(encode(one), { threads: 1 })
      const results = await session.run(model.feeds)
      for (const [name, expected] of Object.entries(model.results)) expectSame(results[name]!, expected)
    }
  })
})

describe('what an optimizer makes of a network', () => {
  const macs = (name: string) => {
    const model = goldenModels('optimized-models').find(one => one.name === name)!
    const counted = cost(fed(model.graph(), model))
    expect(counted.uncounted).toEqual([])
    return counted.macs
  }

  test.each(['bert-extended', 'bert-attention', 'bert-multi-head', 'bert-dynamic', 'bert-4-bits'])(
    '%s costs what the network cost',
    name => expect(macs(name)).toBe(macs('bert')),
  )
  test.each(['images-extended', 'images-qdq', 'images-qoperator', 'images-qdq-all'])(
    '%s costs what the network cost',
    name => expect(macs(name)).toBe(macs('images')),
  )
})

function withoutTypes(graph: Graph): Graph {
  return { ...graph, types: new Map(), outputs: graph.outputs.map(({ name }) => ({ name, type: undefined })) }
}

/** The graph for inputs of exactly these types. */
function fed(graph: Graph, { feeds }: GoldenModel): Graph {
  const inputs = graph.inputs.map(value => {
    const t = feeds[value.name]
    return t ? { ...value, type: { dtype: t.dtype, shape: t.shape } } : value
  })
  return { ...graph, inputs }
}

/** Without the outputs that are sequences, which the engine does not hand to JavaScript. */
function tensorsOnly(graph: Graph, { results }: GoldenModel): Graph {
  return { ...graph, outputs: graph.outputs.filter(({ name }) => results[name]) }
}

function expectSame(actual: Tensor, expected: Tensor): void {
  expect(actual.dtype).toBe(expected.dtype)
  expect(actual.shape).toEqual(expected.shape)
  if (expected.dtype === 'string') {
    expect(actual.data).toEqual(expected.data)
    return
  }
  const [x, y] = [numbers(actual), numbers(expected)]
  for (let i = 0; i < y.length; i++) expect(Math.abs(x[i]! - y[i]!)).toBeLessThan(1e-3 * Math.max(1, Math.abs(y[i]!)))
}
