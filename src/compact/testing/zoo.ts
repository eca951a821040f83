import type { Graph } from '../../graph/graph.ts'
import { net } from '../../read/testing/nets.ts'

/** Small networks, one for each way in which channels hang together. */
export const zoo: Readonly<Record<string, () => Graph>> = {
  'a plain network with normalisation': () =>
    net(['N', 3, 8, 8], ({ op, conv, norm, linear }, x) => {
      const a = op.Relu([norm('bn', conv('a', x, 6, { kernel: 3 }))])
      const b = op.MaxPool([op.Relu([conv('b', a, 7, { kernel: 3 })])], { kernel_shape: [2, 2], strides: [2, 2] })
      return linear('fc', op.Flatten([b]), 4)
    }),
  'a residual network with projections': () =>
    net(['N', 3, 8, 8], ({ op, conv, norm, linear }, x) => {
      const block = (name: string, input: string, channels: number, stride: number) => {
        const first = op.Relu([norm(`${name}.bn1`, conv(`${name}.conv1`, input, channels + 1, { kernel: 3, stride }))])
        const second = norm(`${name}.bn2`, conv(`${name}.conv2`, first, channels, { kernel: 3 }))
        const skip = stride > 1 ? conv(`${name}.shortcut`, input, channels, { stride }) : input
        return op.Relu([op.Add([second, skip])])
      }
      const stem = op.Relu([conv('stem', x, 4, { kernel: 3 })])
      const trunk = block('c', block('b', block('a', stem, 4, 1), 6, 2), 6, 1)
      return linear('fc', op.Flatten([op.GlobalAveragePool([trunk])]), 5)
    }),
  'a network that concatenates branches': () =>
    net(['N', 3, 8, 8], ({ op, conv }, x) => {
      const a = op.Relu([conv('a', x, 4)])
      const both = op.Concat([a, op.Relu([conv('b', a, 5, { kernel: 3 })])], { axis: 1 })
      const more = op.Concat([both, op.Tanh([conv('c', both, 3, { kernel: 3 })])], { axis: 1 })
      return conv('head', op.Sigmoid([more]), 2)
    }),
  'a network that splits a map': () =>
    net(['N', 3, 6, 6], ({ op, conv }, x) => {
      const [left, right] = op.many('Split', 2, [conv('a', x, 8)], { axis: 1, num_outputs: 2 })
      const joined = op.Concat([conv('b', left!, 5), right!], { axis: 1 })
      return conv('head', op.Relu([joined]), 2)
    }),
  'a mobile network': () =>
    net(['N', 3, 8, 8], ({ op, conv, norm }, x) => {
      const stem = conv('stem', x, 4, { kernel: 3 })
      const wide = op.Relu([norm('bn1', conv('expand', stem, 9))])
      const deep = op.Relu([norm('bn2', conv('depthwise', wide, 9, { kernel: 3, group: 9 }))])
      return conv('head', op.Add([conv('project', deep, 4), stem]), 2)
    }),
  'a depthwise convolution that multiplies channels': () =>
    net(['N', 3, 6, 6], ({ conv }, x) => conv('head', conv('depthwise', conv('a', x, 4), 8, { group: 4 }), 2)),
  'a grouped convolution': () =>
    net(['N', 3, 6, 6], ({ op, conv }, x) =>
      conv('head', op.Relu([conv('grouped', op.Relu([conv('a', x, 8)]), 12, { kernel: 3, group: 2 })]), 2),
    ),
  'a channel shuffle': () =>
    net(['N', 3, 4, 4], ({ op, conv }, x) => {
      const split = op.Reshape([conv('a', x, 6), op.ints([0, 2, 3, 4, 4])])
      const mixed = op.Reshape([op.Transpose([split], { perm: [0, 2, 1, 3, 4] }), op.ints([0, -1, 4, 4])])
      return conv('head', op.Relu([mixed]), 2)
    }),
  'squeeze and excitation': () =>
    net(['N', 3, 8, 8], ({ op, conv }, x) => {
      const a = op.Relu([conv('a', x, 6, { kernel: 3 })])
      const small = op.Relu([conv('down', op.GlobalAveragePool([a]), 3)])
      return conv('head', op.Mul([a, op.HardSigmoid([conv('up', small, 6)])]), 2)
    }),
  'several heads': () =>
    net(['N', 6], ({ op, linear }, x) => {
      const trunk = op.Relu([linear('a', x, 8)])
      return [op.Softmax([linear('one', trunk, 3)]), linear('two', op.Tanh([linear('mid', trunk, 5)]), 2)]
    }),
  'shared weights': () =>
    net(['N', 4], ({ op, linear, parameter }, x) => {
      const w = parameter('shared', [6, 6])
      const first = op.Relu([op.Gemm([linear('a', x, 6), w])])
      return linear('b', op.Gemm([first, w]), 2)
    }),
  'a cut-out and a gather of channels': () =>
    net(['N', 3, 4, 4], ({ op, conv }, x) => {
      const a = conv('a', x, 8)
      const part = op.Slice([a, op.ints([2]), op.ints([7]), op.ints([1])])
      const picked = op.Gather([a, op.ints([6, 0, 3])], { axis: 1 })
      return [conv('one', part, 2), conv('two', picked, 2)]
    }),
  'channels last, by matrix products': () =>
    net(['N', 5, 4], ({ op, parameter }, x) => {
      const a = op.Add([op.MatMul([x, parameter('a', [4, 7])]), parameter('a.bias', [7])])
      return op.MatMul([op.Gelu([a]), parameter('b', [7, 3])])
    }),
}
