import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { create, createRegistry, equals, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { graph } from '../../test/support/arbitrary-graph.ts'
import { canonicalMessage } from '../../test/support/onnx-message.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import * as onnx from './generated/onnx_pb.ts'

const models = '../shared/models'
const found = existsSync(models) ? readdirSync(models).filter(file => file.endsWith('.onnx')) : []

function expectSameMessage(before: Uint8Array, after: Uint8Array): void {
  const [a, b] = [canonicalMessage(before), canonicalMessage(after)]
  const same = equals(onnx.ModelProtoSchema, a, b, { unknown: true, registry: createRegistry() })
  // Only where they differ, as a comparison that shows where is slow.
  if (!same) expect(b).toEqual(a)
}

describe('a round trip', () => {
  it('gives back any graph that a file can say', () => {
    fc.assert(
      fc.property(graph, g => {
        expect(decode(encode(g))).toStrictEqual(g)
      }),
      { numRuns: 300, seed: 1 },
    )
  })

  it('keeps names that objects have for themselves', () => {
    const bytes = toBinary(
      onnx.ModelProtoSchema,
      create(onnx.ModelProtoSchema, {
        irVersion: 10n,
        opsetImport: [{ domain: '__proto__', version: 3n }],
        metadataProps: [
          { key: '__proto__', value: 'a' },
          { key: 'constructor', value: 'b' },
        ],
        graph: { node: [{ opType: 'A', attribute: [{ name: '__proto__', type: 2, i: 5n }] }] },
      }),
    )
    expectSameMessage(bytes, encode(decode(bytes)))
  })

  it('keeps what Sinter does not interpret, at every level', () => {
    const bytes = toBinary(onnx.ModelProtoSchema, everything())
    const graph = decode(bytes)
    expectSameMessage(bytes, encode(graph))
    expect(graph.extra?.metadata).toEqual({ level: 'graph' })
    expect(graph.nodes[0]!.extra?.doc).toBe('node doc')
    expect(graph.modelExtra?.doc).toBe('model doc')
    expect(graph.inputs[0]!.extra?.metadata).toEqual({ level: 'value' })
  })

  it('drops denotations and names that belong to a value no longer there', () => {
    const graph = decode(toBinary(onnx.ModelProtoSchema, everything()))
    const [node] = graph.nodes
    const { tensor } = node!.attributes
    const changed = {
      ...graph,
      inputs: [{ ...graph.inputs[0]!, type: { dtype: 'int8' as const, shape: [7] } }],
      nodes: [{ ...node!, attributes: { tensor: { ...tensor!, type: 'int' as const, value: 4 } } }],
    }
    const again = decode(encode(changed))
    expect(again.inputs[0]!.type).toEqual({ dtype: 'int8', shape: [7] })
    const kept = { doc: 'attribute doc', unknown: Uint8Array.of(0xc0, 0x3e, 5) }
    expect(again.nodes[0]!.attributes).toEqual({ tensor: { type: 'int', value: 4, extra: kept } })
  })

  it.skipIf(found.length === 0)(
    'gives back the message of every model at hand (skipped where ../shared is absent)',
    () => {
      for (const file of found) {
        const before = readFileSync(`${models}/${file}`)
        const graph = decode(before, { name: file })
        const after = encode(graph)
        expectSameMessage(before, after)
        expect(isDeepStrictEqual(decode(after), graph), file).toBe(true)
      }
    },
  )
})

/** A model that uses each part of the format that has no place of its own in a graph. */
function everything(): onnx.ModelProto {
  const unknown = [{ no: 1000, wireType: 0, data: Uint8Array.of(5) }]
  const props = (level: string) => [{ key: 'level', value: level }]
  const tensor = (name: string, extra = {}) =>
    create(onnx.TensorProtoSchema, { name, dims: [1n], dataType: 1, rawData: Uint8Array.of(0, 0, 128, 63), ...extra })
  const documented = (name: string) => tensor(name, { docString: 'tensor doc', metadataProps: props('tensor') })
  const shape = { dim: [{ value: { case: 'dimValue' as const, value: 1n }, denotation: 'DATA_BATCH' }, {}] }
  const denoted = { denotation: 'IMAGE', value: { case: 'tensorType' as const, value: { elemType: 1, shape } } }
  const opaque = { value: { case: 'opaqueType' as const, value: { domain: 'd', name: 'n' } } }
  const message = create(onnx.ModelProtoSchema, {
    irVersion: 10n,
    opsetImport: [{ version: 21n }, { domain: 'com.example', version: 2n }],
    producerName: 'someone',
    domain: 'org.example',
    modelVersion: 9_007_199_254_740_993n,
    docString: 'model doc',
    metadataProps: props('model'),
    trainingInfo: [
      {
        initialization: { name: 'init', initializer: [tensor('t', { rawData: new Uint8Array(0), floatData: [1] })] },
        updateBinding: [{ key: 'w', value: 'w_new' }],
      },
    ],
    configuration: [{ name: 'two', numDevices: 2, device: ['a', 'b'] }],
    graph: {
      name: 'g',
      docString: 'graph doc',
      metadataProps: props('graph'),
      input: [
        { name: 'x', type: denoted, docString: 'value doc', metadataProps: props('value') },
        { name: 'o', type: opaque },
      ],
      output: [{ name: 'y' }],
      valueInfo: [
        { name: 'plain', type: { value: { case: 'tensorType', value: { elemType: 7 } } } },
        { name: 'y', type: denoted, docString: 'info doc' },
        { name: 'z', type: opaque },
      ],
      initializer: [documented('w'), tensor('v')],
      sparseInitializer: [
        {
          values: documented('s'),
          indices: tensor('s_indices', { dataType: 7, rawData: new Uint8Array(8) }),
          dims: [4n],
        },
      ],
      quantizationAnnotation: [{ tensorName: 'w', quantParameterTensorNames: [{ key: 'SCALE_TENSOR', value: 'v' }] }],
      node: [
        {
          input: ['x', ''],
          output: ['y', 'z'],
          name: 'n',
          opType: 'Op',
          domain: 'com.example',
          overload: 'second',
          docString: 'node doc',
          metadataProps: props('node'),
          deviceConfigurations: [{ configurationId: 'two', pipelineStage: 1 }],
          attribute: [
            { name: 'tensor', type: 4, t: documented('constant'), docString: 'attribute doc' },
            { name: 'tensors', type: 9, tensors: [tensor(''), tensor('named')] },
            {
              name: 'sparse',
              type: 11,
              sparseTensor: {
                values: tensor('a'),
                indices: tensor('b', { dataType: 7, rawData: new Uint8Array(8) }),
                dims: [4n],
              },
            },
            { name: 'type', type: 13, tp: denoted },
            {
              name: 'types',
              type: 14,
              typeProtos: [denoted, { value: { case: 'tensorType', value: { elemType: 1 } } }],
            },
          ],
        },
      ],
    },
  })
  const { graph } = message
  const [node] = graph!.node
  for (const part of [
    message,
    graph!,
    graph!.input[0]!,
    graph!.valueInfo[0]!,
    graph!.initializer[1]!,
    node!,
    node!.attribute[0]!,
    node!.attribute[0]!.t!,
    node!.attribute[2]!.sparseTensor!,
    graph!.input[0]!.type!,
  ]) {
    part.$unknown = unknown
  }
  return message
}
