import { create } from '@bufbuild/protobuf'
import { byteLength } from '../base/dtype.ts'
import { elementCount, formatShape } from '../base/shape.ts'
import { bytesOf, type Tensor } from '../base/tensor.ts'
import type { SparseTensor } from '../graph/graph.ts'
import { dataTypeOf } from './dtypes.ts'
import { type SparseTensorProto, type TensorProto, TensorProto_DataLocation } from './generated/onnx_pb.ts'
import { entriesOf } from './rest.ts'
import { SparseTensorSchema, TensorSchema } from './schema.ts'
import { type ExternalRange, unwritable, type Writing } from './writing.ts'

/** A tensor as raw bytes (strings as strings), or as a range of the external file. `rest` is what it starts from. */
export function encodeTensor(writing: Writing, tensor: Tensor, where: string, rest?: TensorProto): TensorProto {
  const { dtype, shape } = tensor
  const wrong = shape.find(size => !Number.isSafeInteger(size) || size < 0)
  if (wrong !== undefined) throw unwritable(where, `has a dimension of size ${wrong}`)
  const proto = create(TensorSchema, rest)
  proto.dims = shape.map(BigInt)
  proto.dataType = dataTypeOf(dtype)
  const range = writing.external?.ranges.get(tensor)
  if (range) return Object.assign(proto, externalFields(writing.external!.location, range))
  const expect = (found: number, unit: string, expected: number) => {
    if (found !== expected)
      throw unwritable(where, `holds ${found} ${unit} where ${dtype}${formatShape(shape)} has ${expected}`)
  }
  const count = elementCount(shape)
  if (dtype === 'string') {
    const utf8 = new TextEncoder()
    proto.stringData = (tensor.data as readonly string[]).map(text => utf8.encode(text))
    expect(proto.stringData.length, 'strings', count)
  } else {
    proto.rawData = bytesOf(tensor)
    expect(proto.rawData.length, 'bytes', byteLength(dtype, count))
  }
  return proto
}

export function encodeSparse(
  writing: Writing,
  sparse: SparseTensor,
  where: string,
  rest?: SparseTensorProto,
): SparseTensorProto {
  const proto = create(SparseTensorSchema, rest)
  proto.dims = sparse.shape.map(BigInt)
  proto.values = encodeTensor(writing, sparse.values, `${where} (its values)`, rest?.values)
  proto.indices = encodeTensor(writing, sparse.indices, `${where} (its indices)`, rest?.indices)
  return proto
}

function externalFields(location: string, { offset, length }: ExternalRange) {
  return {
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: entriesOf({ location, offset: String(offset), length: String(length) }),
  }
}
