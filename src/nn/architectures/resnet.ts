import type { Graph } from '../../graph/graph.ts'
import { define, f32 } from '../define.ts'
import type { ActivationChoice } from '../layers.ts'
import { basicBlock, bottleneck, stage, stem } from './residual-blocks.ts'

const variants = {
  18: { block: basicBlock, blocks: [2, 2, 2, 2] },
  34: { block: basicBlock, blocks: [3, 4, 6, 3] },
  50: { block: bottleneck, blocks: [3, 4, 6, 3] },
} as const

export interface ResnetOptions {
  readonly depth: keyof typeof variants
  /** Of the image; 3 if left out. */
  readonly channels?: number
  /** Height and width of the image; 224 if left out. */
  readonly size?: number
  /** 1000 if left out. */
  readonly classes?: number
  /** ReLU if left out. */
  readonly activation?: ActivationChoice
  /** Whether each block begins as its shortcut; false if left out. */
  readonly zeroInit?: boolean
  readonly seed: number
  readonly name?: string
}

/**
 * The residual network for ImageNet (He et al. 2016, arXiv:1512.03385, table 1) as torchvision has it, parameter for
 * parameter and name for name: `image` [N, channels, size, size] -> `logits` [N, classes].
 */
export function resnet(options: ResnetOptions): Graph {
  const { depth, channels = 3, size = 224, classes = 1000, activation = 'relu', zeroInit = false, seed } = options
  const { name = `resnet-${depth}` } = options
  const { block, blocks } = variants[depth]
  return define(
    { image: f32(['N', channels, size, size]) },
    ({ image }, nn) => {
      const stages = blocks.map((count, i) =>
        stage(nn, {
          name: `layer${i + 1}`,
          blocks: count,
          block,
          channels: 64 * 2 ** i,
          stride: i === 0 ? 1 : 2,
          project: i > 0 || block === bottleneck,
          activation,
          zeroInit,
        }),
      )
      const net = nn.sequential(
        stem(nn, 64, 7, 2, activation),
        nn.maxPool(3, { stride: 2, padding: 1 }),
        ...stages,
        nn.globalPool,
        nn.linear(classes, { name: 'fc' }),
      )
      return { logits: net(image) }
    },
    { seed, name },
  )
}
