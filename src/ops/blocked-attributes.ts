/**
 * Attributes of the operators on blocked tensors. A blocked tensor has a nominal shape [N, C, H, W], C a multiple of the
 * block, and lies in memory as [N, C/block, H, W, block]: the layout of onnxruntime's convolution kernels on CPUs
 * ("NCHWc"). Two sets of operators know it. Those of `com.microsoft.nchwc` are the engine's own. Those of
 * `sinter.blocked` stand for them while a training step is compiled: they say how large a block is, read parameters in
 * their ordinary layout, and have gradients; before a step runs, each is expanded into the engine's.
 */
export interface BlockedAttributesOf {
  'sinter.blocked.Block': { readonly block: number }
  'sinter.blocked.Unblock': { readonly channels: number }
  'sinter.blocked.Conv': WindowOf2D & { readonly block: number }
  'sinter.blocked.BatchNormalization': { readonly epsilon: number }
  'sinter.blocked.MaxPool': WindowOf2D & { readonly block: number }
  /** Tensors of every second (third, ...) element along each axis, woven into one; rows before columns, left out if zero. */
  'sinter.blocked.Interleave': { readonly strides: readonly number[]; readonly block: number }
  'sinter.blocked.GlobalAveragePool': { readonly block: number; readonly channels: number }

  /** Of images whose channels are the last axis, where the engine asks for it. */
  'com.microsoft.nchwc.ReorderInput': { readonly channels_last: number }
  'com.microsoft.nchwc.ReorderOutput': { readonly channels: number; readonly channels_last: number }
  'com.microsoft.nchwc.Conv': WindowOf2D & {
    readonly group: number
    /** What is applied to each element of the result, and with which numbers. */
    readonly activation: string
    readonly activation_params: readonly number[]
  }
  'com.microsoft.nchwc.MaxPool': WindowOf2D
  'com.microsoft.nchwc.AveragePool': WindowOf2D
  'com.microsoft.nchwc.GlobalAveragePool': Record<never, never>
  'com.microsoft.nchwc.GlobalMaxPool': Record<never, never>
  'com.microsoft.nchwc.Upsample': { readonly scales: readonly number[]; readonly mode: string }
}

/** How a window moves, everything spelled out: two sizes each, and four pads. */
interface WindowOf2D {
  readonly kernel_shape: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly pads: readonly number[]
}

/** Types of those attributes whose values do not tell. */
export const blockedAttributeTypes: Readonly<Record<string, string>> = { activation_params: 'floats', epsilon: 'float' }
