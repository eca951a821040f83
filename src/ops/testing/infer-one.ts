import type { DType } from '../../base/dtype.ts'
import { isTensorType, type Shape, type TensorType } from '../../base/shape.ts'
import type { Tensor } from '../../base/tensor.ts'
import { node as makeNode } from '../../graph/edit.ts'
import { inferNode } from '../call.ts'
import { typeOfConstant } from '../contents.ts'
import type { InferredType } from '../operator.ts'
import { newestOpset } from '../spec.generated.ts'
import { type OpName, toAttributes } from '../spec.ts'

export interface OneOptions {
  readonly opset?: number
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly outputs?: number
  /** Element type of the inputs that are given as shapes; float32 if left out. */
  readonly dtype?: DType
}

/** What is inferred of one node's outputs, given its inputs' shapes (undefined: left out), types or contents. */
export function inferOne(
  record: { readonly type: OpName },
  inputs: readonly (Shape | TensorType | Tensor | undefined)[],
  { opset = newestOpset, attributes = {}, outputs = 1, dtype = 'float32' }: OneOptions = {},
): readonly InferredType[] {
  const node = makeNode({
    op: record.type,
    inputs: inputs.map((input, i) => (input ? `x${i}` : '')),
    outputs: Array.from({ length: outputs }, (_, i) => `y${i}`),
    attributes: toAttributes(record.type, attributes),
  })
  const at = (name: string) => inputs[Number(name.slice(1))]
  const found = inferNode(node, {
    opset: () => opset,
    type: name => {
      const input = at(name)
      if (!input || !('dtype' in input)) return input && { dtype, shape: input }
      return 'data' in input ? typeOfConstant(input) : input
    },
    constant: name => {
      const input = at(name)
      return input && 'data' in input ? input : undefined
    },
    inferBody: body => body.outputs.map(({ type }) => type),
  })
  return found.map(type => {
    if (isTensorType(type)) return type
    throw new Error(`${record.type} infers no tensor`)
  })
}
