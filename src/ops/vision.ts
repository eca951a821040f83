import { numbersIn, unknownShape } from './axes.ts'
import { productCost } from './channels.ts'
import { free, type Link, no, operator } from './operator.ts'
import { windowedShape } from './window.ts'

// Operators that sample images at computed places.

const sampled = no('where it samples depends on the data')
const channelsOnly = () => [{ from: ['in', 0, 1], to: ['out', 0, 1], map: 'same' }] as const
const leftToRuntime = no('left to the runtime')

export const gridSample = operator('GridSample', {
  infer: ({ inputs: [x, grid] }) => [
    { dtype: x!.dtype, shape: x!.shape && grid!.shape && [...x!.shape.slice(0, 2), ...grid!.shape.slice(1, -1)] },
  ],
  gradient: sampled,
  coupling: channelsOnly,
  cost: free,
  evaluate: leftToRuntime,
  upgrades: [
    {
      to: 20,
      apply({ attributes: { align_corners, mode, padding_mode } }, op, x) {
        const names: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' }
        return [op.GridSample(x, { align_corners, mode: names[mode] ?? mode, padding_mode })]
      },
    },
  ],
})

export const affineGrid = operator('AffineGrid', {
  infer: call => {
    const { dtype, shape } = call.inputs[0]!
    const sizes = numbersIn(call, 1)
    if (!sizes) return [{ dtype, shape: undefined }]
    return [{ dtype, shape: [shape?.[0] ?? sizes[0]!, ...sizes.slice(2), sizes.length - 2] }]
  },
  gradient: no('it is a product of theta with constant positions; write it as MatMul to train through it'),
  coupling: () => [],
  cost: free,
  evaluate: leftToRuntime,
})

export const roiAlign = operator('RoiAlign', {
  infer: ({ attributes: { output_height: height, output_width: width }, inputs: [x, rois] }) => [
    { dtype: x!.dtype, shape: [rois!.shape?.[0] ?? '', x!.shape?.[1] ?? '', height, width] },
  ],
  gradient: sampled,
  coupling: channelsOnly,
  cost: free,
  evaluate: leftToRuntime,
  upgrades: [
    {
      // Until opset 16 boxes were not moved by half a pixel, and there was no other way.
      to: 16,
      apply: ({ attributes }, op, x) => [
        op.RoiAlign(x, { ...attributes, coordinate_transformation_mode: 'output_half_pixel' }),
      ],
    },
  ],
})

export const maxRoiPool = operator('MaxRoiPool', {
  infer: ({ attributes: { pooled_shape: sizes }, inputs: [x, rois] }) => [
    { dtype: x!.dtype, shape: [rois!.shape?.[0] ?? '', x!.shape?.[1] ?? '', ...sizes] },
  ],
  gradient: sampled,
  coupling: channelsOnly,
  cost: free,
  evaluate: leftToRuntime,
})

export const deformConv = operator('DeformConv', {
  infer: ({ attributes, inputs: [x, w, offset] }) => {
    const kernel = attributes.kernel_shape ?? w!.shape?.slice(2)
    const rank = x!.shape?.length ?? w!.shape?.length ?? offset!.shape?.length
    if (rank === undefined) return [{ dtype: x!.dtype, shape: undefined }]
    const sizes = x!.shape?.slice(2) ?? unknownShape(rank - 2)
    const window = kernel ?? unknownShape(rank - 2)
    const spatial = windowedShape({ ...attributes, auto_pad: 'NOTSET' }, sizes, window)
    // There is an offset for each place of the result.
    const known = spatial.map((size, axis) => (size === '' ? (offset!.shape?.[axis + 2] ?? '') : size))
    return [{ dtype: x!.dtype, shape: [x!.shape?.[0] ?? '', w!.shape?.[0] ?? '', ...known] }]
  },
  gradient: sampled,
  coupling: ({ attributes: { group, offset_group: moved }, inputs: [, , , bias, mask] }) => {
    const images = [0, 2, ...(mask ? [4] : [])].map(
      (input): Link => ({ from: ['in', input, 0], to: ['out', 0, 0], map: 'same' }),
    )
    if (group !== 1 || moved !== 1) return images
    return [
      ...images,
      { from: ['in', 0, 1], to: ['in', 1, 1], map: 'same' },
      { from: ['in', 1, 0], to: ['out', 0, 1], map: 'same' },
      ...(bias ? [{ from: ['in', 3, 0], to: ['out', 0, 1], map: 'same' } as const] : []),
    ]
  },
  cost: ({ inputs: [, w], outputs: [y] }) => productCost(y?.shape, w?.shape?.slice(1)),
  evaluate: leftToRuntime,
})
