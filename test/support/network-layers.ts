import { attribute } from '../../src/graph/attributes.ts'
import { constant, fixed, isOwn, isRanked, number, ofRank, positive, scalarOf, widened } from './network-constants.ts'
import { Nothing, type Step } from './network-site.ts'

/** Layers with weights, pools, normalizations, and activations as exporters spell them out. */
export const layers: Readonly<Record<string, Step>> = {
  Conv: site => {
    const { op, value, make, below } = site
    const x = value(ofRank(4))
    const channels = fixed(x.shape[1])
    const group = below(3) === 0 ? channels : 1
    const kernel = 1 + below(3)
    const w = constant(site, [channels * (1 + below(2)), channels / group, kernel, kernel], below(9))
    const outputs = op.shape(w)[0]!
    const b = below(2) === 0 ? null : constant(site, [outputs], below(9))
    const pads = below(2) === 0 ? [0, 0, 0, 0] : [1, 1, 1, 1]
    make(op.Conv([x.ref, w, b], { group, pads, strides: [1 + below(2), 1] }), false)
  },
  ConvTranspose: site => {
    const { op, value, make, below } = site
    const x = value(ofRank(4))
    const channels = fixed(x.shape[1])
    const w = constant(site, [channels, 1 + below(3), 2, 2], below(9))
    make(op.ConvTranspose([x.ref, w], { strides: [1 + below(2), 1 + below(2)] }), false)
  },
  ConvNorm: site => {
    const { op, value, make, below } = site
    const x = value(ofRank(4))
    const channels = fixed(x.shape[1])
    const w = constant(site, [4, channels, 1 + below(2), 1], below(9))
    const y = op.Conv([x.ref, w])
    if (below(3) === 0) make(y, false)
    const [scale, shift] = [constant(site, [4], 1), constant(site, [4], below(5))]
    const [mean, variance] = [constant(site, [4], 3), positive(site, [4], below(5))]
    make(op.BatchNormalization([y, scale, shift, mean, variance]), false)
  },
  BatchNormalization: site => {
    const { op, value, make, below } = site
    const x = value(type => type.own && type.shape.length >= 2)
    const c = fixed(x.shape[1])
    const [scale, shift] = [constant(site, [c], below(5)), constant(site, [c], below(5))]
    const [mean, variance] = [constant(site, [c], 3), positive(site, [c], below(5))]
    make(op.BatchNormalization([x.ref, scale, shift, mean, variance]), false)
  },
  MaxPool: ({ op, value, make, below }) => {
    const x = value(ofRank(4))
    const pads = below(2) === 0 ? [0, 0, 0, 0] : [1, 1, 0, 0]
    make(op.MaxPool([x.ref], { kernel_shape: [2, 2], strides: [1 + below(2), 1], pads }), x.exact)
  },
  AveragePool: ({ op, value, make, below }) =>
    make(
      op.AveragePool([value(ofRank(4)).ref], {
        kernel_shape: [2, 2],
        pads: below(2) === 0 ? [0, 0, 0, 0] : [1, 1, 1, 1],
        count_include_pad: below(2),
      }),
      false,
    ),
  GlobalAveragePool: ({ op, value, make }) => make(op.GlobalAveragePool([value(ofRank(4)).ref]), false),
  Gemm: site => {
    const { op, value, make, below } = site
    const x = value(ofRank(2))
    const transB = below(2)
    const shape = [fixed(x.shape[1]), 3]
    const w = constant(site, transB ? shape.reverse() : shape, below(9))
    const c = [null, constant(site, [3], 2), constant(site, [1], 2)][below(3)]
    make(op.Gemm([x.ref, w, c], { transB, alpha: [1, 0.5][below(2)]!, beta: [1, 2][below(2)]! }), false)
  },
  MatMul: site => {
    const { op, value, make, below } = site
    const x = value(isRanked)
    const w = constant(site, [fixed(x.shape.at(-1)), 1 + below(4)], below(9))
    const y = op.MatMul([x.ref, w])
    make(y, false)
    if (below(2) === 0) make(op.Add([y, constant(site, [op.type(y).shape!.at(-1) as number], 4)]), false)
  },
  ScaleBefore: site => {
    const { op, value, make, below, dtype } = site
    const scale = ['Mul', 'Div', 'Add', 'Sub'][below(4)] as 'Mul'
    if (dtype !== 'float32' || below(2) === 0) {
      const x = value(isRanked)
      const size = fixed(widened(x.shape.at(-1)))
      const y = op[scale]([x.ref, positive(site, [size], below(9))])
      return make(op.MatMul([y, constant(site, [size, 1 + below(3)], below(9))]), false)
    }
    const x = value(ofRank(4))
    const channels = fixed(widened(x.shape[1]))
    const y = op[scale]([x.ref, positive(site, [channels, 1, 1], below(9))])
    const each = () => positive(site, [channels], below(9))
    const norm = () => op.BatchNormalization([y, each(), each(), each(), each()])
    make(below(2) === 0 ? norm() : op.Conv([y, constant(site, [2, channels, 1, 1 + below(2)], below(9))]), false)
  },
  ScaleAfter: site => {
    const { op, value, make, below } = site
    const x = value(isRanked)
    const y = op.MatMul([x.ref, constant(site, [fixed(x.shape.at(-1)), 1 + below(4)], below(9))])
    const moved = op.Reshape([y, op.ints([-1])])
    const scale = ['Mul', 'Div'][below(2)] as 'Mul'
    make(op[scale]([below(2) === 0 ? y : moved, number(site, 2 + below(3), x)]), false)
  },
  LayerNorm: site => {
    const { op, value, make, below, opset } = site
    const x = value(isRanked)
    const c = fixed(x.shape.at(-1))
    const [scale, shift] = [constant(site, [c], below(5)), constant(site, [c], below(5))]
    if (opset >= 17 && below(3) === 0) return make(op.LayerNormalization([x.ref, scale, shift]), false)
    if (opset >= 18) throw new Nothing()
    const mean = (y: string) => op.ReduceMean([y], { axes: attribute.ints([-1]) } as never)
    const centred = op.Sub([x.ref, mean(x.ref)])
    const variance = mean(op.Pow([centred, number(site, 2, x)]))
    const normal = op.Div([centred, op.Sqrt([op.Add([variance, number(site, 1e-3, x)])])])
    make(op.Add([op.Mul([normal, scale]), shift]), false)
  },
  Gelu: site => {
    const { op, value, make, below } = site
    const x = value(isOwn)
    const gate = op.Add([op.Erf([op.Div([x.ref, number(site, Math.SQRT2, x)])]), number(site, 1, x)])
    const half = number(site, 0.5, x)
    make(below(2) === 0 ? op.Mul([op.Mul([x.ref, gate]), half]) : op.Mul([op.Mul([x.ref, half]), gate]), false)
  },
  Swish: site => {
    const { op, value, make, below } = site
    const x = value(isOwn)
    const six = op.Clip([op.Add([x.ref, number(site, 3, x)]), scalarOf(site, 0), scalarOf(site, 6)])
    const gated = () => op.Div([op.Mul([x.ref, six]), number(site, 6, x)])
    make(below(2) === 0 ? op.Mul([x.ref, op.Sigmoid([x.ref])]) : gated(), false)
  },
}
