import { describe, expect, test } from 'vitest'
import { SinterError } from '../base/errors.ts'
import type { TensorType } from '../base/shape.ts'
import { attribute } from '../graph/attributes.ts'
import { type NewNode, node } from '../graph/edit.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { assertValid, check } from './check.ts'

function graph(nodes: readonly NewNode[], opset: Graph['opset'] = { '': 21 }): Graph {
  const types: Record<string, TensorType> = {
    x: { dtype: 'float32', shape: ['N', 3] },
    i: { dtype: 'int64', shape: [2] },
    c: { dtype: 'bool', shape: [] },
  }
  return {
    ...emptyGraph('test'),
    opset,
    inputs: Object.entries(types).map(([name, type]) => ({ name, type })),
    nodes: nodes.map(node),
    outputs: [{ name: 'y', type: undefined }],
  }
}

const one = (op: string, inputs: readonly string[], attributes: NewNode['attributes'] = {}): NewNode => ({
  op,
  inputs,
  outputs: ['y'],
  attributes,
})
const codes = (nodes: readonly NewNode[], opset?: Graph['opset']) => check(graph(nodes, opset)).map(({ code }) => code)

describe('a graph', () => {
  test('that keeps to the rules has no problems', () => {
    expect(check(graph([one('Concat', ['x', 'x'], { axis: attribute.int(1) })]))).toEqual([])
  })
  test('has the problems of its structure, with types not looked at', () => {
    expect(codes([one('Relu', ['nowhere'])])).toEqual(['missing-value'])
  })
  test('is told of operators that ONNX does not have, has not yet, or has no more', () => {
    expect(codes([one('Conv2d', ['x'])])).toEqual(['unknown-operator'])
    expect(codes([one('Gelu', ['x'])], { '': 17 })).toEqual(['unknown-operator'])
    expect(codes([one('Upsample', ['x', 'x'])])).toEqual(['deprecated-operator'])
  })
  test('is told of inputs and outputs that are too many, too few or left out', () => {
    expect(codes([one('Relu', ['x', 'x'])])).toEqual(['wrong-arity'])
    expect(codes([one('Add', ['x'])])).toEqual(['wrong-arity'])
    expect(codes([one('Add', ['', 'x'])])).toEqual(['wrong-arity'])
    expect(codes([one('Clip', ['x', '', ''])])).toEqual([])
  })
  test('is told of attributes that are missing, unknown or of another type', () => {
    expect(codes([one('Concat', ['x', 'x'])])).toEqual(['wrong-attribute'])
    expect(codes([one('Relu', ['x'], { alpha: attribute.float(1) })])).toEqual(['wrong-attribute'])
    expect(codes([one('Softmax', ['x'], { axis: attribute.float(1) })])).toEqual(['wrong-attribute'])
  })
  test('is told of element types that an operator does not take, or not together', () => {
    expect(codes([one('Exp', ['i'])])).toEqual(['wrong-type'])
    expect(codes([one('Add', ['x', 'i'])])).toContain('wrong-type')
  })
  test('is told of shapes that do not fit', () => {
    expect(codes([one('Transpose', ['x'], { perm: attribute.ints([0, 1, 2]) })])).toEqual(['wrong-shape'])
  })
  test('must say its opsets, in versions that exist', () => {
    expect(codes([one('Relu', ['x'])], {})).toContain('missing-opset')
    expect(codes([one('Relu', ['x'])], { '': 99 })).toEqual(['unknown-opset'])
    expect(codes([{ ...one('Relu', ['x']), domain: 'own' }])).toEqual(['missing-opset'])
    expect(codes([{ ...one('Relu', ['x']), domain: 'own' }], { '': 21, own: 1 })).toEqual([])
  })
  test('is looked into, body by body', () => {
    const body = { ...emptyGraph('b'), nodes: [node({ op: 'Concat', inputs: ['x'], outputs: ['z'] })] }
    const branch = attribute.graph({ ...body, outputs: [{ name: 'z', type: undefined }] })
    const [problem] = check(graph([one('If', ['c'], { then_branch: branch, else_branch: branch })]))
    expect(problem).toMatchObject({
      code: 'wrong-attribute',
      where: { body: ["If that makes 'y' then_branch"], index: 0 },
    })
    expect(problem!.message).toContain("its attribute 'axis' is missing")
  })
  test('with problems is refused with the first of them', () => {
    const broken = graph([one('Concat', ['x', 'x'])])
    const refuse = () => assertValid(broken)
    expect(refuse).toThrow(SinterError)
    expect(refuse).toThrow(/'test' is broken.*'axis' is missing/)
    expect(() => assertValid(graph([one('Relu', ['x'])]))).not.toThrow()
  })
})
