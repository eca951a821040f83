import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { float32s } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { edit, node } from '../graph/edit.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { prefix } from '../graph/merge.ts'
import { renameValues } from '../graph/rename.ts'
import { diff, isSame } from './diff.ts'
import { load } from './model-file.ts'

const weight = (rows: number, columns: number, seed = 1) =>
  float32s(
    [rows, columns],
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(seed * (i + 1))),
  )

interface Options {
  readonly seed?: number
  readonly width?: number
  readonly alpha?: number
  readonly extra?: boolean
  readonly activation?: 'Tanh' | 'Sigmoid'
}

/** Two branches over x, added: x*W -> LeakyRelu, and x*V -> Tanh. */
function net({ seed = 1, width = 5, alpha = 0.1, extra = false, activation = 'Tanh' }: Options = {}): Graph {
  return makeGraph({ x: f32('N', 4) }, (op, { x }) => {
    const left = op.LeakyRelu([op.MatMul([x, op.constant(weight(4, width, seed), 'w')])], { alpha })
    const wide = op.MatMul([x, op.constant(weight(4, width, 7), 'v')])
    const right = op[activation]([extra ? op.Abs([wide]) : wide])
    return { y: op.Softmax([op.Add([left, right])]) }
  })
}

/** The same under entirely other names, its two branches in the other order. */
function disguised(graph: Graph): Graph {
  const names = new Map<string, string>()
  const renamed = renameValues(graph, name => {
    const made = names.get(name) ?? `value_${names.size}`
    names.set(name, made)
    return made
  })
  return { ...renamed, nodes: renamed.nodes.map((one, i) => ({ ...one, name: `n${i}` })) }
}

const nothing = { changed: [], removed: [], added: [] }

describe('the structural difference of graphs', () => {
  test('of a graph and itself is none', () => {
    const found = diff(net(), net())
    expect(found.nodes).toEqual({ ...nothing, same: 6, renamed: [] })
    expect(found.tensors).toEqual({ ...nothing, same: 2, renamed: [] })
    expect(isSame(found)).toBe(true)
  })
  test('is in names alone where all names are others', () => {
    const found = diff(net(), disguised(net()))
    expect(found.nodes).toMatchObject({ ...nothing, same: 0 })
    expect(found.nodes.renamed).toHaveLength(6)
    expect(found.tensors).toMatchObject({ ...nothing, renamed: [{ a: 'w' }, { a: 'v' }] })
    expect(found.inputs).toEqual({ renamed: [{ a: 'x', b: 'value_0' }], removed: [], added: [] })
    expect(isSame(found)).toBe(true)
    const prefixed = prefix(net(), 'm/')
    expect(isSame(diff(net(), prefixed))).toBe(true)
  })
  test('finds other weights in their roles, whatever they are called', () => {
    for (const after of [net({ seed: 2 }), disguised(net({ seed: 2 }))]) {
      const { nodes, tensors } = diff(net(), after)
      expect(nodes).toMatchObject({ removed: [], added: [] })
      expect(nodes.changed).toMatchObject([{ operator: 'MatMul', changes: ['input 1 has other values'] }])
      expect(tensors.changed).toMatchObject([{ a: 'w', change: 'has other values' }])
      expect(tensors.changed[0]!.maxAbsDifference).toBeGreaterThan(0.1)
    }
  })
  test('finds other sizes and attributes', () => {
    const narrow = diff(net(), disguised(net({ width: 3 })))
    expect(narrow.nodes).toMatchObject({ removed: [], added: [] })
    expect(narrow.nodes.changed.map(({ changes }) => changes)).toEqual([
      ['input 1 float32[4,5] became float32[4,3]'],
      ['input 1 float32[4,5] became float32[4,3]'],
    ])
    const steep = diff(net(), net({ alpha: 0.3 }))
    expect(steep.nodes.changed).toMatchObject([
      { operator: 'LeakyRelu', changes: [expect.stringMatching(/alpha .*0.1.* became .*0.3/)] },
    ])
    expect(steep.tensors.changed).toEqual([])
  })
  test('finds nodes that came in between, and what now reads them', () => {
    const { nodes } = diff(net(), disguised(net({ extra: true })))
    expect(nodes).toMatchObject({ removed: [], added: [{ operator: 'Abs' }] })
    expect(nodes.changed).toMatchObject([{ operator: 'Tanh', changes: [expect.stringMatching(/comes from Abs/)] }])
    expect(diff(net({ extra: true }), net()).nodes.removed).toMatchObject([{ operator: 'Abs' }])
  })
  test('takes a node of another operator for the same role by what it is called, else for new', () => {
    const a = net()
    const swapped = {
      ...a,
      nodes: a.nodes.map(one => (one.op === 'Tanh' ? { ...one, op: 'Sigmoid' } : one)),
    }
    expect(diff(a, swapped).nodes.changed).toMatchObject([
      { operator: 'Tanh -> Sigmoid', changes: ['Tanh became Sigmoid'] },
    ])
    const { nodes } = diff(a, disguised(net({ activation: 'Sigmoid' })))
    expect(nodes).toMatchObject({ removed: [{ operator: 'Tanh' }], added: [{ operator: 'Sigmoid' }] })
  })
  test('does not mind the order of operands that can be exchanged', () => {
    const sum = (swap: boolean) =>
      makeGraph({ x: f32(2), z: f32(2) }, (op, { x, z }) => ({ y: op.Add(swap ? [z, x] : [x, z]) }))
    expect(isSame(diff(sum(false), sum(true)))).toBe(true)
    const difference = (swap: boolean) =>
      makeGraph({ x: f32(2), z: f32(2) }, (op, { x, z }) => ({ y: op.Sub(swap ? [z, x] : [x, z]) }))
    expect(diff(difference(false), difference(true)).nodes.changed).toHaveLength(1)
  })
  test('looks into bodies', () => {
    const choice = (op: string, name: string): Graph =>
      edit(emptyGraph('choice'), draft => {
        const branch = (kind: string) => ({
          ...emptyGraph('branch'),
          nodes: [node({ op: kind, inputs: ['x'], outputs: [`${name}${kind}`] })],
          outputs: [{ name: `${name}${kind}`, type: undefined }],
        })
        draft.inputs.push({ name: 'x', type: f32(2) }, { name: 'c', type: { dtype: 'bool', shape: [] } })
        const attributes = { then_branch: attribute.graph(branch(op)), else_branch: attribute.graph(branch('Neg')) }
        draft.add({ op: 'If', name: 'if', inputs: ['c'], outputs: ['y'], attributes })
        draft.outputs.push({ name: 'y', type: f32(2) })
      })
    expect(isSame(diff(choice('Abs', 'p'), choice('Abs', 'q')))).toBe(true)
    expect(diff(choice('Abs', 'p'), choice('Exp', 'p')).nodes.changed).toMatchObject([
      { a: 'if', changes: ['what its bodies do'] },
    ])
  })
})

const models = '../shared/models'
describe.skipIf(!existsSync(models))('on real models', () => {
  test('other names are no difference', async () => {
    for (const name of ['ultraface_rfb320_raw', 'ppocr_v4_rec', 'silero_vad_v6']) {
      const graph = await load(`${models}/${name}.onnx`)
      expect(isSame(diff(graph, disguised(graph)))).toBe(true)
    }
  })
  test('what a simplifier kept is found again', async () => {
    const [raw, simple] = [await load(`${models}/gtcrn_raw.onnx`), await load(`${models}/gtcrn_simplified.onnx`)]
    const { nodes, tensors } = diff(raw, simple)
    // 14 GRU, 11 convolutions and 11 transposed ones, with their weights.
    const ops = nodes.removed.map(({ operator }) => operator)
    expect(ops.filter(op => /GRU|Conv/.test(op))).toEqual([])
    expect(nodes.added.length).toBeLessThan(nodes.removed.length / 10)
    expect(tensors.changed.filter(({ maxAbsDifference }) => (maxAbsDifference ?? 0) > 1e-3).length).toBeLessThan(20)
  })
})
