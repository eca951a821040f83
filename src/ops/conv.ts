import { type Dim, multiplyDims, type Shape } from '../base/shape.ts'
import type { Node } from '../graph/graph.ts'
import { productCost, sumPerChannel } from './channels.ts'
import { type Convolution, convolution, dataGradient, weightGradient } from './conv-gradient.ts'
import { type InferredType, type Link, no, operator } from './operator.ts'
import { refuse } from './spec.ts'
import { transposedAxes, transposedShape, windowAxes, windowedShape } from './window.ts'

const notFolded = no('convolutions are not shape arithmetic')

export const conv = operator('Conv', {
  infer: ({ node, attributes, inputs: [x, w] }) => {
    const { group } = attributes
    checkGroups(node, group, w?.shape?.[0])
    const [channels, perGroup] = [x?.shape?.[1], w?.shape?.[1]]
    if (typeof channels === 'number' && typeof perGroup === 'number' && channels !== perGroup * group) {
      refuse(node, `it reads ${channels} channels, but its weights are for ${group} group(s) of ${perGroup}.`)
    }
    const kernel = kernelOf(attributes.kernel_shape, w)
    const outputs = w?.shape?.[0] ?? ''
    return [spatialType(x, outputs, kernel, (sizes, window) => windowedShape(attributes, sizes, window))]
  },
  gradient: call => {
    const {
      op,
      attributes,
      x: [x, w],
      dy: [dy],
      needs,
    } = call
    const weights = op.shape(w!)
    const axes = windowAxes(attributes, op.shape(x!).slice(2), weights.slice(2))
    const geometry: Convolution = { group: attributes.group, weights, axes }
    return [
      needs[0] ? dataGradient(call, geometry, dy!, w!) : null,
      needs[1] ? weightGradient(call, geometry, x!, dy!) : null,
      needs[2] ? sumPerChannel(op, dy!) : null,
    ]
  },
  coupling: ({ attributes: { group }, inputs: [, w, b] }) => {
    const [outputs, perGroup] = [w?.shape?.[0], w?.shape?.[1]]
    return [
      { from: ['in', 0, 0], to: ['out', 0, 0], map: 'same' },
      { from: ['in', 1, 0], to: ['out', 0, 1], map: 'same' },
      ...(b ? [{ from: ['in', 2, 0], to: ['out', 0, 1], map: 'same' } as const] : []),
      ...(group === 1
        ? [{ from: ['in', 0, 1], to: ['in', 1, 1], map: 'same' } as const]
        : groupLinks(group, perGroup, outputs)),
    ]
  },
  // Of a depthwise convolution whole groups leave; of a grouped one each group loses as many channels.
  prune: ({ attributes: { group }, inputs: [, w], after }) => {
    const channels = after.inputs[0]?.[1]
    return group > 1 && w?.shape?.[1] === 1 && typeof channels === 'number' ? { attributes: { group: channels } } : {}
  },
  cost: ({ inputs: [, w], outputs: [y] }) => productCost(y?.shape, w?.shape?.slice(1)),
  evaluate: notFolded,
})

export const convTranspose = operator('ConvTranspose', {
  infer: ({ node, attributes, inputs: [x, w] }) => {
    checkGroups(node, attributes.group, w?.shape?.[0])
    if (typeof x?.shape?.[1] === 'number' && typeof w?.shape?.[0] === 'number' && x.shape[1] !== w.shape[0]) {
      refuse(node, `it reads ${x.shape[1]} channels, but its weights are for ${w.shape[0]}.`)
    }
    const channels = multiplyDims(w?.shape?.[1] ?? '', attributes.group)
    const kernel = kernelOf(attributes.kernel_shape, w)
    return [spatialType(x, channels, kernel, (sizes, window) => transposedShape(attributes, sizes, window))]
  },
  // It is the adjoint of the convolution with the same weights, whose data are its result.
  gradient: call => {
    const {
      op,
      attributes,
      x: [x, w],
      dy: [dy],
      needs,
    } = call
    const weights = op.shape(w!)
    const axes = transposedAxes(attributes, op.shape(x!).slice(2), weights.slice(2))
    const geometry: Convolution = { group: attributes.group, weights, axes }
    return [
      needs[0] ? convolution(op, geometry, dy!, w!) : null,
      needs[1] ? weightGradient(call, geometry, dy!, x!) : null,
      needs[2] ? sumPerChannel(op, dy!) : null,
    ]
  },
  coupling: ({ attributes: { group }, inputs: [x, w, b] }) => [
    { from: ['in', 0, 0], to: ['out', 0, 0], map: 'same' },
    { from: ['in', 0, 1], to: ['in', 1, 0], map: 'same' },
    ...(b ? [{ from: ['in', 2, 0], to: ['out', 0, 1], map: 'same' } as const] : []),
    ...transposedLinks(group, x?.shape?.[1], w?.shape?.[1]),
  ],
  prune: ({ attributes: { group }, inputs: [x], after }) => {
    const channels = after.inputs[0]?.[1]
    return group > 1 && x?.shape?.[1] === group && typeof channels === 'number'
      ? { attributes: { group: channels } }
      : {}
  },
  cost: ({ inputs: [x, w] }) => productCost(x?.shape, w?.shape?.slice(1)),
  evaluate: notFolded,
})

/** Refuses groups that the channels do not divide into: onnxruntime divides by their number. */
function checkGroups(node: Node, group: number, channels: Dim | undefined): void {
  if (group < 1) refuse(node, `its group is ${group}; it must be at least 1.`)
  if (typeof channels === 'number' && channels % group !== 0) {
    refuse(node, `its weights have ${channels} channels, which do not divide into ${group} groups.`)
  }
}

/** Input channels of a grouped convolution: to the weights' input axis, and where a group has but one, to the outputs. */
function groupLinks(group: number, perGroup: Dim | undefined, outputs: Dim | undefined): readonly Link[] {
  if (perGroup === 1 && typeof outputs === 'number') {
    return [{ from: ['in', 0, 1], to: ['out', 0, 1], map: outputs === group ? 'same' : { repeat: outputs / group } }]
  }
  return [
    { from: ['in', 0, 1], to: ['in', 1, 1], map: { groups: group } },
    { from: ['in', 1, 0], to: ['in', 1, 0], map: { groups: group } },
  ]
}

/** The same of a transposed one, whose weights are [C, M/group, ...]. */
function transposedLinks(group: number, channels: Dim | undefined, perGroup: Dim | undefined): readonly Link[] {
  if (group === 1) return [{ from: ['in', 1, 1], to: ['out', 0, 1], map: 'same' }]
  if (channels === group && typeof perGroup === 'number') {
    return [{ from: ['in', 0, 1], to: ['out', 0, 1], map: perGroup === 1 ? 'same' : { repeat: perGroup } }]
  }
  return [
    { from: ['out', 0, 1], to: ['in', 1, 1], map: { groups: group } },
    { from: ['in', 1, 0], to: ['in', 1, 0], map: { groups: group } },
  ]
}

function kernelOf(stated: readonly number[] | undefined, w: InferredType | undefined): Shape | undefined {
  return stated ?? w?.shape?.slice(2)
}

/** The type of a result whose spatial axes follow from the data's and the kernel's. */
function spatialType(
  x: InferredType | undefined,
  channels: Dim,
  kernel: Shape | undefined,
  resize: (sizes: Shape, kernel: Shape) => Shape,
): InferredType {
  const rank = x?.shape?.length ?? (kernel && kernel.length + 2)
  if (rank === undefined) return { dtype: x!.dtype, shape: undefined }
  const sizes = x?.shape?.slice(2) ?? new Array<Dim>(rank - 2).fill('')
  if (kernel && kernel.length !== sizes.length) {
    throw new Error(`a kernel with ${kernel.length} axes does not fit data with ${sizes.length} spatial axes`)
  }
  const window = kernel ?? sizes.map(() => '')
  return { dtype: x!.dtype, shape: [x?.shape?.[0] ?? '', channels, ...resize(sizes, window)] }
}
