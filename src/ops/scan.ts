import { type Dim, isTensorType, type Shape, type TensorType, type ValueType } from '../base/shape.ts'
import type { Body, Node } from '../graph/graph.ts'
import { countedAxis } from './axes.ts'
import type { Ops, Ref } from './build.ts'
import { demandBody, inBodies, notFolded, settled, type Types } from './control-flow.ts'
import { type Call, no, operator } from './operator.ts'

type Infer = Call['inferBody']

export const scan = operator('Scan', {
  infer: call => {
    const { node, opset, attributes, inputTypes, inferBody } = call
    const inputs = inputTypes.length - (opset < 9 ? 1 : 0)
    const states = inputs - attributes.num_scan_inputs
    if (states < 0 || attributes.num_scan_inputs < 1)
      throw new Error(`it scans ${attributes.num_scan_inputs} of its ${inputs} inputs`)
    demandBody(attributes.body, inputs, Math.max(states, node.outputs.length))
    return opset < 9 ? batchedTypes(call) : scannedTypes(attributes, inputTypes, inferBody)
  },
  gradient: no('the values of every step would have to be kept'),
  coupling: inBodies,
  cost({ attributes, inputs }) {
    const count = attributes.num_scan_inputs
    const axes = attributes.scan_input_axes
    const lengths = inputs.slice(inputs.length - count).map((type, i) => type?.shape?.at(axes?.[i] ?? 0))
    const steps = lengths.find(length => typeof length === 'number')
    return steps === undefined ? { macs: 0 } : { macs: 0, iterations: steps }
  },
  evaluate: notFolded,
  accepts: 'any',
  upgrades: [
    {
      to: 9,
      apply(call, op, [lengths, ...x]) {
        if (lengths) throw new Error('sequences of different lengths are gone')
        return overBatch(call, op, x)
      },
    },
  ],
})

interface Axes {
  readonly body: Body
  readonly num_scan_inputs: number
  readonly scan_input_axes?: readonly number[] | undefined
  readonly scan_output_axes?: readonly number[] | undefined
}

function scannedTypes(attributes: Axes, inputs: Types, inferBody: Infer): Types {
  const states = inputs.slice(0, inputs.length - attributes.num_scan_inputs)
  const scanned = inputs.slice(states.length).map(type => (isTensorType(type) ? type : undefined))
  let length: Dim = ''
  const slices = scanned.map((type, i): TensorType | undefined => {
    if (!type?.shape) return type
    const axis = attributes.scan_input_axes?.[i] ?? 0
    const at = countedAxis(axis, type.shape.length)
    const size = type.shape[at] ?? ''
    if (length === '' || typeof size === 'number') length = size
    return { dtype: type.dtype, shape: type.shape.toSpliced(at, 1) }
  })
  const found = settled(states, types => inferBody(attributes.body, [...types, ...slices]))
  return found.map((type, i) => {
    if (i < states.length || !isTensorType(type)) return type
    const axis = attributes.scan_output_axes?.[i - states.length] ?? 0
    const at = axis < 0 && type.shape ? axis + type.shape.length + 1 : axis
    return { dtype: type.dtype, shape: type.shape?.toSpliced(at, 0, length) }
  })
}

/** In opset 8 everything had a batch axis in front, and another input said how long each sequence is. */
function batchedTypes({ attributes, inputTypes, inferBody }: Call<'Scan'>): Types {
  const data = inputTypes.slice(1)
  const [batch = ''] = data.flatMap(type => (isTensorType(type) && type.shape ? [type.shape[0] ?? ''] : []))
  const found = scannedTypes(attributes, data.map(withoutBatch), inferBody)
  return found.map(type =>
    isTensorType(type) ? { dtype: type.dtype, shape: type.shape && [batch, ...type.shape] } : type,
  )
}

function withoutBatch(type: ValueType | undefined): ValueType | undefined {
  return isTensorType(type) ? { dtype: type.dtype, shape: type.shape?.slice(1) as Shape | undefined } : type
}

/** The batch as another scan around the one over time: each of its steps is one sequence. */
function overBatch({ node, attributes, inputTypes }: Call<'Scan'>, op: Ops, x: readonly Ref[]): readonly Ref[] {
  const { body, num_scan_inputs, directions } = attributes as Axes & { readonly directions?: readonly number[] }
  const inputs = inputTypes.slice(1).map(type => ({ name: op.fresh('sequence'), type: withoutBatch(type) }))
  const outputs = node.outputs.map(() => ({ name: op.fresh('scanned'), type: undefined }))
  const one: Node = {
    op: 'Scan',
    domain: '',
    name: node.name,
    inputs: inputs.map(({ name }) => name),
    outputs: outputs.map(({ name }) => name),
    attributes: {
      body: { type: 'graph', value: body },
      num_scan_inputs: { type: 'int', value: num_scan_inputs },
      ...(directions ? { scan_input_directions: { type: 'ints', value: directions } } : {}),
    },
  }
  const around: Body = { name: 'batch', inputs, outputs, nodes: [one], initializers: new Map(), types: new Map() }
  return op.many('Scan', node.outputs.length, x, { body: around, num_scan_inputs: x.length })
}
