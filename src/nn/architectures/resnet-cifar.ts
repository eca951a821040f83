import { SinterError } from '../../base/errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { define, f32 } from '../define.ts'
import type { ActivationChoice } from '../layers.ts'
import { basicBlock, stage, stem } from './residual-blocks.ts'

export interface ResnetCifarOptions {
  /** 6n + 2 weighted layers: 8, 14, 20, 32, 44, 56, 110. */
  readonly depth: number
  /** Of the image; 3 if left out. */
  readonly channels?: number
  /** Height and width of the image; 32 if left out. */
  readonly size?: number
  /** 10 if left out. */
  readonly classes?: number
  /** Factor on all channels; 1 if left out: 16, 32 and 64. */
  readonly width?: number
  /** ReLU if left out. */
  readonly activation?: ActivationChoice
  /** Whether each block begins as its shortcut; false if left out. */
  readonly zeroInit?: boolean
  readonly seed: number
  readonly name?: string
}

/**
 * The residual network for small images (He et al. 2016, arXiv:1512.03385, section 4.2): a 3x3 stem and three stages of
 * n basic blocks, which halve the size and double the channels from one to the next; then the mean over positions and a
 * linear layer. `image` [N, channels, size, size] -> `logits` [N, classes].
 *
 * Where the shape changes the shortcut is a 1x1 convolution (the paper's option B, 2,752 parameters more than option A
 * at width 1): unlike padding with zero channels it survives pruning, and each stage's channels can be cut by themselves.
 * @throws SinterError `invalid-argument` if the depth is not 6n + 2.
 */
export function resnetCifar(options: ResnetCifarOptions): Graph {
  const {
    depth,
    channels = 3,
    size = 32,
    classes = 10,
    width = 1,
    activation = 'relu',
    zeroInit = false,
    seed,
  } = options
  const { name = `resnet-${depth}` } = options
  const blocks = (depth - 2) / 6
  if (!Number.isInteger(blocks) || blocks < 1)
    throw new SinterError('invalid-argument', `The depth must be 6n + 2 (8, 14, 20, ...), not ${depth}.`, { depth })
  const widths = [16, 32, 64].map(count => Math.max(1, Math.round(count * width)))
  return define(
    { image: f32(['N', channels, size, size]) },
    ({ image }, nn) => {
      const stages = widths.map((count, i) =>
        stage(nn, {
          name: `layer${i + 1}`,
          blocks,
          block: basicBlock,
          channels: count,
          stride: i === 0 ? 1 : 2,
          project: i > 0,
          activation,
          zeroInit,
        }),
      )
      const head = nn.linear(classes, { name: 'fc' })
      const net = nn.sequential(stem(nn, widths[0]!, 3, 1, activation), ...stages, nn.globalPool, head)
      return { logits: net(image) }
    },
    { seed, name },
  )
}
