import { describe, expect, it } from 'vitest'
import { int64s, lazyTensor, scalar, type Tensor, zeros } from '../base/tensor.ts'
import { attribute } from './attributes.ts'
import { node } from './edit.ts'
import { type Attribute, emptyGraph, type Graph } from './graph.ts'
import { print, printNode } from './print.ts'

const image = { dtype: 'float32', shape: ['N', 3] } as const

describe('print', () => {
  it('gives each value and node a line, with types, attributes and names', () => {
    const graph: Graph = {
      ...emptyGraph('digits'),
      opset: { '': 21, 'com.example': 1 },
      inputs: [{ name: 'image', type: image }],
      outputs: [{ name: 'y', type: image }],
      initializers: new Map<string, Tensor>([
        ['w', zeros('float32', [3, 3])],
        ['shape', int64s([-1, 3])],
      ]),
      sparseInitializers: new Map([
        ['s', { shape: [4, 4], values: zeros('float32', [2]), indices: zeros('int64', [2]) }],
      ]),
      nodes: [
        node({
          op: 'Gemm',
          name: 'fc',
          inputs: ['image', 'w', '', 's'],
          outputs: ['h'],
          attributes: {
            alpha: attribute.float(Math.fround(0.1)),
            transB: attribute.int(1),
            axes: attribute.ints([0, 1]),
          },
        }),
        node({ op: 'Thing', domain: 'com.example', inputs: ['h'], outputs: ['y', ''] }),
      ],
      types: new Map([['h', { dtype: 'float32', shape: ['N', ''] }]]),
    }
    expect(print(graph)).toBe(
      [
        'graph digits (ai.onnx 21, com.example 1)',
        '  input image: float32[N,3]',
        '  weight w: float32[3,3]',
        '  weight shape: int64[2] = [-1,3]',
        '  weight s: sparse float32[4,4] with 2 values',
        '  h: float32[N,?] = Gemm(image, w, -, s) alpha=0.1 transB=1 axes=[0,1]  # fc',
        '  y: float32[N,3], - = com.example.Thing(h)',
        '  output y: float32[N,3]',
        '',
      ].join('\n'),
    )
  })

  it('shows bodies indented below their node', () => {
    const branch = { ...emptyGraph('b'), outputs: [{ name: 'r', type: undefined }] }
    const attributes = { then_branch: attribute.graph(branch), more: { type: 'graphs', value: [branch] } as Attribute }
    const nodes = [node({ op: 'If', inputs: ['c'], outputs: ['y'], attributes })]
    expect(print({ ...emptyGraph(''), nodes })).toBe(
      [
        'graph (ai.onnx 21)',
        '  y = If(c)',
        '    then_branch:',
        '      output r: ?',
        '    more[0]:',
        '      output r: ?',
        '',
      ].join('\n'),
    )
  })

  it('shows values of every kind, long ones cut', () => {
    const shown = (a: Attribute) =>
      printNode(node({ op: 'Op', inputs: [], outputs: ['y'], attributes: { a } })).slice(11)
    expect(shown(attribute.string('say "hi"'))).toBe('"say \\"hi\\""')
    expect(shown(attribute.string('x'.repeat(99)))).toBe(`"${'x'.repeat(60)}..."`)
    expect(shown(attribute.floats([1e-12, Number.NaN, Number.NEGATIVE_INFINITY]))).toBe('[1e-12,NaN,-Infinity]')
    expect(shown(attribute.ints(Array.from({ length: 20 }, (_, i) => i)))).toBe('[0,1,2,3,4,5,6,7,... 20 in all]')
    expect(shown(attribute.int(2n ** 60n))).toBe(String(2n ** 60n))
    expect(shown({ type: 'bytes', value: new Uint8Array(3) })).toBe('3 bytes')
    expect(shown({ type: 'type', value: { sequence: image } })).toBe('sequence(float32[N,3])')
    expect(shown(attribute.tensor(scalar('float16', 0.5)))).toBe('float16[] = 0.5')
    expect(shown(attribute.tensor({ dtype: 'string', shape: [1], data: ['a'] }))).toBe('string[1] = ["a"]')
    expect(shown(attribute.tensor(zeros('int4', [4])))).toBe('int4[4]')
    expect(shown({ type: 'tensors', value: [int64s([]), zeros('float32', [9])] })).toBe('[int64[0] = [],float32[9]]')
  })

  it('does not read data to show it', () => {
    const w = lazyTensor('float32', [1], () => {
      throw new Error('read')
    })
    expect(print({ ...emptyGraph('g'), initializers: new Map([['w', w]]) })).toContain('weight w: float32[1]\n')
  })

  it('keeps to one line and away from the terminal whatever names a file has', () => {
    const line = printNode(node({ op: 'A\n\u001b[31m', name: 'a b', inputs: ['-', 'x,y'], outputs: ['ünï.1:/@'] }))
    expect(line).toBe('ünï.1:/@ = A\\u000a\\u001b[31m("-", "x,y")  # "a b"')
  })
})
