import type { MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import { type GraphInit, type ModelInit, modelBytes, refusalOf } from '../../test/support/onnx-message.ts'
import { check } from '../graph/check.ts'
import { print } from '../graph/print.ts'
import { type DecodeOptions, decode } from './decode.ts'
import {
  AttributeProto_AttributeType as AttributeType,
  type FunctionProto,
  type FunctionProtoSchema,
  type NodeProto,
  type NodeProtoSchema,
} from './generated/onnx_pb.ts'

type FunctionInit = Exclude<MessageInitShape<typeof FunctionProtoSchema>, FunctionProto>
type NodeInit = Exclude<MessageInitShape<typeof NodeProtoSchema>, NodeProto>
type AttributeInit = NonNullable<NodeInit['attribute']>[number]

const opsetImport = [{ version: 21n }, { domain: 'local', version: 1n }]

function node(opType: string, input: string[], output: string[], more: NodeInit = {}): NodeInit {
  return { opType, input, output, ...more }
}

function call(opType: string, input: string[], output: string[], more: NodeInit = {}): NodeInit {
  return node(opType, input, output, { domain: 'local', ...more })
}

function fn(name: string, input: string[], output: string[], nodes: NodeInit[], more: FunctionInit = {}): FunctionInit {
  return { name, domain: 'local', input, output, node: nodes, opsetImport, ...more }
}

function model(graph: GraphInit, functions: FunctionInit[], more: ModelInit = {}): Uint8Array {
  return modelBytes(
    { name: 'g', input: [{ name: 'x' }], output: [{ name: 'y' }], ...graph },
    { opsetImport, functions, ...more },
  )
}

/** The lines of the nodes. */
function inlined(bytes: Uint8Array, options: DecodeOptions = {}): readonly string[] {
  const graph = decode(bytes, options)
  expect(check(graph)).toEqual([])
  const lines = print(graph).trimEnd().split('\n')
  return lines.filter(line => line.includes(' = ') || line.endsWith(':')).map(line => line.slice(2))
}

const refused = (bytes: Uint8Array) => refusalOf(() => decode(bytes))

describe('functions', () => {
  it('are put in the place of their calls, with names of their own for each', () => {
    const f = fn('f', ['x'], ['y'], [node('Sin', ['x'], ['m'], { name: 's' }), node('Cos', ['m'], ['y'])])
    const nodes = [call('f', ['x'], ['m']), call('f', ['m'], ['y'], { name: 'second' })]
    expect(inlined(model({ node: nodes }, [f]))).toEqual([
      'f/m = Sin(x)  # f/s',
      'm = Cos(f/m)',
      'second/m = Sin(m)  # second/s',
      'y = Cos(second/m)',
    ])
  })

  it('avoid names that the graph has, also deep inside of it', () => {
    const f = fn('f', ['a'], ['b'], [node('Sin', ['a'], ['m']), node('Cos', ['m'], ['b'])])
    const body = { node: [node('Abs', ['x'], ['f/m'])], output: [{ name: 'f/m' }] }
    const branches = { attribute: [{ name: 'then_branch', type: AttributeType.GRAPH, g: body }] }
    const bytes = model({ node: [call('f', ['x'], ['z']), node('If', ['z'], ['y'], branches)] }, [f])
    expect(inlined(bytes).slice(0, 2)).toEqual(['f/m_1 = Sin(x)', 'z = Cos(f/m_1)'])
  })

  it('take attributes from the call, from their defaults, or leave them out', () => {
    const refer = (name: string, refAttrName: string, type: AttributeInit['type'] & number): AttributeInit =>
      ({ name, refAttrName, type }) as AttributeInit
    const f = fn(
      'f',
      ['a'],
      ['b'],
      [
        node('Op', ['a'], ['b'], {
          attribute: [
            refer('alpha', 'given', AttributeType.FLOAT),
            refer('beta', 'kept', AttributeType.FLOAT),
            refer('gamma', 'missing', AttributeType.FLOAT),
          ],
        }),
      ],
      {
        attribute: ['given', 'missing'],
        attributeProto: [
          { name: 'kept', type: AttributeType.FLOAT, f: 2 },
          { name: 'given', type: AttributeType.FLOAT, f: 3 },
        ],
      },
    )
    const attribute = [{ name: 'given', type: AttributeType.FLOAT, f: 1 }]
    expect(inlined(model({ node: [call('f', ['x'], ['y'], { attribute })] }, [f]))).toEqual([
      'y = Op(x) alpha=1 beta=2',
    ])
  })

  it('call each other, and hand attributes on', () => {
    const inner = fn(
      'inner',
      ['a'],
      ['b'],
      [node('Op', ['a'], ['b'], { attribute: [{ name: 'k', refAttrName: 'k', type: AttributeType.INT }] })],
    )
    const outer = fn(
      'outer',
      ['a'],
      ['b'],
      [
        call('inner', ['a'], ['t'], { attribute: [{ name: 'k', refAttrName: 'size', type: AttributeType.INT }] }),
        call('inner', ['t'], ['b'], { name: 'last', attribute: [{ name: 'k', type: AttributeType.INT, i: 9n }] }),
      ],
    )
    const attribute = [{ name: 'size', type: AttributeType.INT, i: 4n }]
    expect(inlined(model({ node: [call('outer', ['x'], ['y'], { attribute })] }, [outer, inner]))).toEqual([
      'outer/t = Op(x) k=4',
      'y = Op(outer/t) k=9',
    ])
  })

  it('are told apart by overload and domain', () => {
    const functions = [
      fn('f', ['a'], ['b'], [node('First', ['a'], ['b'])]),
      fn('f', ['a'], ['b'], [node('Second', ['a'], ['b'])], { overload: 'two' }),
    ]
    const nodes = [call('f', ['x'], ['m'], { overload: 'two' }), call('f', ['m'], ['n']), node('f', ['n'], ['y'])]
    expect(inlined(model({ node: nodes }, functions))).toEqual(['m = Second(x)', 'n = First(m)', 'y = f(n)'])
  })

  it('are inlined inside of bodies, and their bodies see their values', () => {
    const branch = (name: string, nodes: NodeInit[]): AttributeInit => ({
      name,
      type: AttributeType.GRAPH,
      g: { name, node: nodes, output: [{ name: 'r' }] },
    })
    const twice = fn('twice', ['m'], ['o'], [node('Add', ['m', 'm'], ['o'])])
    const choose = fn(
      'choose',
      ['p', 'c'],
      ['r1'],
      [
        node('Neg', ['p'], ['q']),
        node('If', ['c'], ['r1'], {
          attribute: [
            branch('then_branch', [call('twice', ['q'], ['r'])]),
            branch('else_branch', [node('Abs', ['p'], ['r'])]),
          ],
        }),
      ],
    )
    const graph = { input: [{ name: 'x' }, { name: 'r' }], node: [call('choose', ['x', 'r'], ['y'])] }
    expect(inlined(model(graph, [choose, twice]))).toEqual([
      'choose/q = Neg(x)',
      'y = If(r)',
      '  then_branch:',
      '    choose/r = Add(choose/q, choose/q)',
      '  else_branch:',
      '    choose/r_1 = Abs(x)',
    ])
  })

  it('may leave inputs and outputs out, and give an input back', () => {
    const f = fn(
      'f',
      ['a', 'low'],
      ['a', 'b', 'b', 'c'],
      [node('Clip', ['a', 'low'], ['b']), node('Neg', ['b'], ['c'])],
    )
    const graph = { output: [{ name: 'y' }, { name: 'z' }, { name: 'z2' }], node: [call('f', ['x'], ['y', 'z', 'z2'])] }
    expect(inlined(model(graph, [f]))).toEqual([
      'z = Clip(x, -)',
      'f/c = Neg(z)',
      'y = Identity(x)',
      'z2 = Identity(z)',
    ])
    const bare = { ...graph, node: [call('f', [], ['y'])] }
    expect(refused(model(bare, [f])).message).toContain("takes 'y' from an input of the function that it leaves out")
  })

  it('bring the operator sets that only they import, and take theirs along when nothing is left of it', () => {
    const f = fn('f', ['a'], ['b'], [node('Thing', ['a'], ['b'], { domain: 'other' })], {
      opsetImport: [{ domain: 'other', version: 3n }],
      valueInfo: [{ name: 'm', type: { value: { case: 'tensorType', value: { elemType: 1 } } } }],
    })
    expect(decode(model({ node: [call('f', ['x'], ['y'])] }, [f])).opset).toEqual({ '': 21, other: 3 })
  })

  it('share their tensors between calls, and cut names that grow long', () => {
    const value = { name: 'value', type: AttributeType.TENSOR, t: { dims: [1n], dataType: 1, floatData: [1] } }
    const f = fn(
      'f',
      ['a'],
      ['b'],
      [node('Constant', [], ['c'.repeat(400)], { attribute: [value] }), node('Neg', ['a'], ['b'])],
    )
    const { nodes } = decode(model({ node: [call('f', ['x'], ['m']), call('f', ['m'], ['y'])] }, [f]))
    expect(nodes[0]!.attributes.value!.value).toBe(nodes[2]!.attributes.value!.value)
    expect(nodes.map(n => n.outputs[0]!.length)).toEqual([256, 1, 258, 1])
  })

  it('keep the types of their values', () => {
    const type = { value: { case: 'tensorType' as const, value: { elemType: 1 } } }
    const f = fn('f', ['a'], ['b'], [node('Sin', ['a'], ['m']), node('Cos', ['m'], ['b'])], {
      valueInfo: [
        { name: 'm', type },
        { name: 'a', type },
      ],
    })
    const { types } = decode(model({ node: [call('f', ['x'], ['y'])] }, [f]))
    expect([...types]).toEqual([['f/m', { dtype: 'float32', shape: undefined }]])
  })

  it('of another version of an operator set are refused, unless the operators are known to be the same', () => {
    const f = fn('f', ['a'], ['b'], [node('Relu', ['a'], ['b'])], { opsetImport: [{ version: 14n }] })
    const bytes = model({ node: [call('f', ['x'], ['y'])] }, [f])
    const error = refused(bytes)
    expect(error.code).toBe('not-supported')
    expect(error.message).toContain('means Relu as version 14 of ai.onnx has it, but the model imports version 21')
    expect(inlined(bytes, { sameOperator: (n, a, b) => n.op === 'Relu' && a === 21 && b === 14 })).toEqual([
      'y = Relu(x)',
    ])
  })

  it('that cannot be inlined are refused with a reason', () => {
    const graph = { node: [call('f', ['x'], ['y'])] }
    const self = fn('f', ['a'], ['b'], [call('g', ['a'], ['b'])])
    const other = fn('g', ['a'], ['b'], [call('f', ['a'], ['b'])])
    expect(refused(model(graph, [self, other])).message).toMatch(
      /functions\[1\] 'g'.node\[0\] calls .*'f', which calls itself/,
    )
    const plain = fn('f', ['a'], ['b'], [node('Neg', ['a'], ['b'])])
    expect(refused(model(graph, [plain, plain])).message).toContain("functions[1] 'f' is defined twice")
    const writes = fn('f', ['a'], ['a'], [node('Neg', ['a'], ['a'])])
    expect(refused(model(graph, [writes])).message).toContain("writes to its own input 'a'")
    const more = { node: [call('f', ['x', 'x'], ['y'])] }
    expect(refused(model(more, [plain])).message).toContain('hands more values to')
    const repeated = fn('f', ['a', 'a'], ['b'], [])
    expect(refused(model(graph, [repeated])).message).toContain("has the input 'a' twice")
  })

  it('that would grow without end are refused in time', () => {
    for (const suffix of ['', 'n'.repeat(10_000)]) {
      const name = (i: number) => `f${i}${suffix}`
      const bombs = Array.from({ length: 40 }, (_, i) =>
        fn(name(i), ['a'], ['b'], [call(name(i + 1), ['a'], ['m']), call(name(i + 1), ['m'], ['b'])]),
      )
      const bytes = model({ node: [call(name(0), ['x'], ['y'])] }, [...bombs, fn(name(40), ['a'], ['b'], [])])
      expect(refused(bytes).code).toBe('not-supported')
    }
    const chain = Array.from({ length: 5000 }, (_, i) => fn(`f${i}`, ['a'], ['b'], [call(`f${i + 1}`, ['a'], ['b'])]))
    expect(refused(model({ node: [call('f0', ['x'], ['y'])] }, chain)).code).toBe('not-supported')
  })
})
