import { random } from '../../src/base/random.ts'
import { float32s } from '../../src/base/tensor.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { f32, makeGraph } from './make-graph.ts'

export interface ClassifierOptions {
  readonly seed: number
  readonly classes?: number
  readonly channels?: number
  /** Normalization in front; the same for equal means. */
  readonly mean?: number
  /** Seed of the convolution's weights, where several classifiers are to share them. */
  readonly trunk?: number
  readonly output?: 'probabilities' | 'logits'
}

/** A small untrained convolutional classifier: `image` [N, channels, 6, 6] to `probabilities` [N, classes] and `label` [N]. */
export function classifier(options: ClassifierOptions): Graph {
  const { seed, classes = 3, channels = 1, mean = 0.5, trunk = seed, output = 'probabilities' } = options
  const normal = (from: number, ...shape: number[]) => {
    const draw = random(from).fork(`${shape}`)
    const count = shape.reduce((a, b) => a * b, 1)
    return float32s(
      shape,
      Array.from({ length: count }, () => draw.normal()),
    )
  }
  return makeGraph({ image: f32('N', channels, 6, 6) }, (op, { image }) => {
    const normalized = op.Div([op.Sub([image, op.scalar(mean)]), op.scalar(2)])
    const features = op.Relu([op.Conv([normalized, op.constant(normal(trunk, 8, channels, 3, 3), 'conv.weight')])])
    const pooled = op.Flatten([op.MaxPool([features], { kernel_shape: [2, 2], strides: [2, 2] })])
    const weights = [op.constant(normal(seed, classes, 32), 'fc.weight'), op.constant(normal(seed, classes), 'fc.bias')]
    const logits = op.Gemm([pooled, ...weights], { transB: 1, alpha: 0.1 })
    if (output === 'logits') return { logits }
    const probabilities = op.Softmax([logits], { axis: 1 })
    return { probabilities, label: op.ArgMax([probabilities], { axis: 1, keepdims: 0 }) }
  })
}
