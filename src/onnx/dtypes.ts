import type { DType } from '../base/dtype.ts'
import { TensorProto_DataType as DataType } from './generated/onnx_pb.ts'

const numberOf: Readonly<Record<DType, DataType>> = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  float16: DataType.FLOAT16,
  bfloat16: DataType.BFLOAT16,
  int8: DataType.INT8,
  int16: DataType.INT16,
  int32: DataType.INT32,
  int64: DataType.INT64,
  uint8: DataType.UINT8,
  uint16: DataType.UINT16,
  uint32: DataType.UINT32,
  uint64: DataType.UINT64,
  bool: DataType.BOOL,
  string: DataType.STRING,
  complex64: DataType.COMPLEX64,
  complex128: DataType.COMPLEX128,
  float8e4m3fn: DataType.FLOAT8E4M3FN,
  float8e4m3fnuz: DataType.FLOAT8E4M3FNUZ,
  float8e5m2: DataType.FLOAT8E5M2,
  float8e5m2fnuz: DataType.FLOAT8E5M2FNUZ,
  float8e8m0: DataType.FLOAT8E8M0,
  float4e2m1: DataType.FLOAT4E2M1,
  int4: DataType.INT4,
  uint4: DataType.UINT4,
  int2: DataType.INT2,
  uint2: DataType.UINT2,
}

const dtypeByNumber = new Map(Object.entries(numberOf).map(([dtype, number]) => [number, dtype as DType]))

/** The number that stands for an element type in a file. */
export function dataTypeOf(dtype: DType): DataType {
  return numberOf[dtype]
}

/** The element type that a number in a file stands for; undefined if Sinter has no such type. */
export function dtypeOf(dataType: number): DType | undefined {
  return dtypeByNumber.get(dataType as DataType)
}
