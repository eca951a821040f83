import { type Initializer, kaimingNormal, ones, zeros } from '../initializers.ts'
import type { ActivationChoice, Layer, Layers } from '../layers.ts'

export interface BlockOptions {
  /** Channels of the 3x3 convolutions. */
  readonly channels: number
  readonly stride: number
  /** Whether the shortcut is a 1x1 convolution, because the shape changes. */
  readonly project: boolean
  readonly activation: ActivationChoice
  /** Whether the branch's last scale begins at zero, so that the block begins as its shortcut. */
  readonly zeroInit: boolean
}

/** He et al. 2015 for rectifiers, by fan out, as residual networks are started in practice. */
const weight: Initializer = kaimingNormal({ fan: 'out' })

/** Convolution and norm under the names that torchvision gives them. */
function convNorm(
  nn: Layers,
  channels: number,
  kernel: number,
  stride: number,
  names: readonly [string, string],
  scale = ones,
): Layer {
  const [name, norm] = names
  const padding = (kernel - 1) / 2
  return nn.sequential(
    nn.conv(channels, kernel, { name, stride, padding, bias: false, weight }),
    nn.norm({ name: norm, scale }),
  )
}

function withShortcut(
  nn: Layers,
  branch: Layer,
  channels: number,
  { stride, project, activation }: BlockOptions,
): Layer {
  const shortcut = project ? convNorm(nn.within('downsample'), channels, 1, stride, ['0', '1']) : undefined
  return nn.sequential(nn.residual(branch, shortcut), nn.activation(activation))
}

/** The first convolution of a residual network, `conv1` and `bn1`. */
export function stem(
  nn: Layers,
  channels: number,
  kernel: number,
  stride: number,
  activation: ActivationChoice,
): Layer {
  return nn.sequential(convNorm(nn, channels, kernel, stride, ['conv1', 'bn1']), nn.activation(activation))
}

/** Two 3x3 convolutions beside a shortcut (He et al. 2016, arXiv:1512.03385, figure 5 left). */
export function basicBlock(nn: Layers, options: BlockOptions): Layer {
  const { channels, stride, activation, zeroInit } = options
  const branch = nn.sequential(
    convNorm(nn, channels, 3, stride, ['conv1', 'bn1']),
    nn.activation(activation),
    convNorm(nn, channels, 3, 1, ['conv2', 'bn2'], zeroInit ? zeros : ones),
  )
  return withShortcut(nn, branch, channels, options)
}

/** 1x1, 3x3 and 1x1 to four times the channels (figure 5 right); the stride is in the 3x3, as torchvision has it. */
export function bottleneck(nn: Layers, options: BlockOptions): Layer {
  const { channels, stride, activation, zeroInit } = options
  const branch = nn.sequential(
    convNorm(nn, channels, 1, 1, ['conv1', 'bn1']),
    nn.activation(activation),
    convNorm(nn, channels, 3, stride, ['conv2', 'bn2']),
    nn.activation(activation),
    convNorm(nn, 4 * channels, 1, 1, ['conv3', 'bn3'], zeroInit ? zeros : ones),
  )
  return withShortcut(nn, branch, 4 * channels, options)
}

export interface StageOptions extends Omit<BlockOptions, 'stride' | 'project'> {
  /** Path of the stage: its blocks are `layer1.0`, `layer1.1`, ... */
  readonly name: string
  readonly blocks: number
  readonly block: typeof basicBlock
  /** Of the first block. */
  readonly stride: number
  /** Whether the first block's shape changes. */
  readonly project: boolean
}

export function stage(nn: Layers, { name, blocks, block, stride, project, ...options }: StageOptions): Layer {
  return nn.sequential(
    ...Array.from({ length: blocks }, (_, i) =>
      block(nn.within(`${name}.${i}`), { ...options, stride: i === 0 ? stride : 1, project: i === 0 && project }),
    ),
  )
}
