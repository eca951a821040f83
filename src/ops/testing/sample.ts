import { type DType, isFloat } from '../../base/dtype.ts'
import type { Random } from '../../base/random.ts'
import { elementCount, type ValueType } from '../../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../../base/tensor.ts'
import { node as makeNode } from '../../graph/edit.ts'
import { dialect, emptyGraph, type Graph, type Node } from '../../graph/graph.ts'
import type { Scope } from '../call.ts'
import { typeOfConstant } from '../contents.ts'
import type { Operator } from '../operator.ts'
import { schemas } from '../spec.generated.ts'
import { type OpName, toAttributes } from '../spec.ts'

/** Random numbers to draw: uniform between `low` and `high` (-2 and 2), whole for integer types. */
export interface Drawn {
  readonly shape: readonly number[]
  readonly dtype?: DType
  readonly low?: number
  readonly high?: number
}

/** A question that may not fit a sample, or a row: skipping one needs a reason. */
export type Question = 'infer' | 'symbolic' | 'gradient' | 'coupling' | 'evaluate' | 'upgrade'

/** One use of an operator. */
export interface Sample {
  /** What is special about it. */
  readonly name?: string
  /** The dialect's if left out; an older one also asks for the upgrade. */
  readonly opset?: number
  /** Version of the operator's own domain, where that is not ai.onnx; 1 if left out. */
  readonly version?: number
  readonly attributes?: Readonly<Record<string, unknown>>
  /** Tensors are constants of the graph, drawn ones are fed; null is left out. */
  readonly inputs: readonly (Tensor | Drawn | null)[]
  /** How many outputs; 1 if left out. */
  readonly outputs?: number
  readonly skip?: Readonly<Partial<Record<Question, string>>>
}

/** A sample with its numbers drawn, as a graph of one node. */
export interface OneNode {
  readonly graph: Graph
  readonly node: Node
  /** What to feed. */
  readonly feeds: Readonly<Record<string, Tensor>>
  /** Every input, constants too; undefined where left out. */
  readonly inputs: readonly (Tensor | undefined)[]
  readonly scope: Scope
}

export interface GraphOptions {
  /** Instead of float32, where the sample does not name a type. */
  readonly float?: DType
  /** Whether constants are fed like everything else. */
  readonly fedConstants?: boolean
}

export function oneNode(record: Operator, sample: Sample, stream: Random, options: GraphOptions = {}): OneNode {
  const { float = 'float32', fedConstants = false } = options
  const { opset = dialect, version = 1 } = sample
  const inputs = sample.inputs.map((input, i) => {
    if (input === null) return undefined
    const made = 'data' in input ? input : draw(input, stream.fork(i))
    return isFloat(made.dtype) && made.dtype !== float && made.dtype === 'float32'
      ? fromNumbers(float, made.shape, numbers(made))
      : made
  })
  const names = inputs.map((t, i) => (t ? `x${i}` : ''))
  const fixed = sample.inputs.map(input => input !== null && 'data' in input && !fedConstants)
  const at = record.type.lastIndexOf('.')
  const node = makeNode({
    op: record.type.slice(at + 1),
    domain: record.type.slice(0, Math.max(0, at)),
    name: 'node',
    inputs: names,
    outputs: Array.from({ length: sample.outputs ?? 1 }, (_, i) => `y${i}`),
    attributes: attributesAt(at < 0 ? opset : version, record.type as OpName, sample.attributes ?? {}),
  })
  const constants = new Map<string, Tensor>()
  const fed: Record<string, Tensor> = {}
  inputs.forEach((t, i) => {
    if (t && fixed[i]) constants.set(names[i]!, t)
    else if (t) fed[names[i]!] = t
  })
  const graph: Graph = {
    ...emptyGraph('sample'),
    opset: { '': opset, ...(node.domain === '' ? {} : { [node.domain]: version }) },
    inputs: Object.entries(fed).map(([name, t]) => ({ name, type: { dtype: t.dtype, shape: t.shape } })),
    outputs: node.outputs.map(name => ({ name, type: undefined })),
    initializers: constants,
    nodes: [node],
  }
  return { graph, node, feeds: fed, inputs, scope: scopeOver(graph) }
}

/** Attributes as an opset types them: those that are gone by now need that. */
function attributesAt(opset: number, type: OpName, values: Readonly<Record<string, unknown>>): Node['attributes'] {
  const schema = schemas[type]?.findLast(({ since }) => since <= opset)
  const typed = Object.entries(values).map(([name, value]) => {
    const known = schema?.attributes[name]?.type
    return [name, known ? { type: known, value } : value]
  })
  return toAttributes(type, Object.fromEntries(typed))
}

/** A scope that knows the graph's inputs and constants. */
export function scopeOver(graph: Graph, types: ReadonlyMap<string, ValueType> = new Map()): Scope {
  const inputs = new Map(graph.inputs.map(({ name, type }) => [name, type]))
  const constant = (name: string) => graph.initializers.get(name)
  return {
    opset: domain => graph.opset[domain] ?? 1,
    type: name => {
      const value = constant(name)
      return types.get(name) ?? (value ? typeOfConstant(value) : inputs.get(name))
    },
    constant,
    inferBody: body => body.outputs.map(({ type }) => type),
  }
}

function draw({ shape, dtype = 'float32', low = -2, high = 2 }: Drawn, stream: Random): Tensor {
  const values = Array.from({ length: elementCount(shape) }, () => low + (high - low) * stream.uniform())
  if (dtype === 'bool')
    return fromNumbers(
      dtype,
      shape,
      values.map(v => (v > (low + high) / 2 ? 1 : 0)),
    )
  return fromNumbers(dtype, shape, isFloat(dtype) ? values : values.map(Math.floor))
}
