import { addDims, type Dim, divideDims, multiplyDims, type Shape } from '../base/shape.ts'
import { axisOf, contentsOf, numbersFrom, numbersIn } from './axes.ts'
import { typeNumbered } from './cast.ts'
import { type Call, free, no, operator } from './operator.ts'
import { refuse } from './spec.ts'

const notWritten = no(
  'a Fourier transform is linear, but its inverse scales; write it as a matrix product to train through it',
)
const whole = no('every element goes into every one of its results')

export const dft = operator('DFT', {
  infer: call => {
    const [x] = call.inputs
    const { dtype, shape } = x!
    const { onesided, inverse } = call.attributes
    const listed = numbersFrom(call, 2, 'axis')
    const given = typeof listed === 'number' ? listed : (listed?.[0] ?? (call.node.inputs[2] ? undefined : -2))
    if (!shape || given === undefined) return [{ dtype, shape: undefined }]
    const at = axisOf(given, shape.length)
    const [length = ''] = call.node.inputs[1] ? (contentsOf(call, 1) ?? []) : [shape[at]!]
    // An engine divides by it.
    if (typeof length === 'number' && length <= 0) refuse(call.node, `a signal of length ${length} has no frequencies.`)
    const half = (n: Dim) => addDims(divideDims(n, 2), 1)
    // One-sided going there leaves half of the frequencies out, and coming back gives real numbers of full length.
    const size = onesided ? (inverse ? fullLength(length, call) : half(length)) : length
    return [{ dtype, shape: shape.with(at, size).with(-1, onesided && inverse ? 1 : 2) }]
  },
  gradient: notWritten,
  coupling: whole,
  cost: free,
  evaluate: no('left to the runtime'),
  upgrades: [
    {
      to: 20,
      apply({ attributes }, op, [x, length]) {
        const {
          axis = 1,
          inverse,
          onesided,
        } = attributes as unknown as { axis?: number; inverse: number; onesided: number }
        return [op.DFT([x, length, op.scalar(axis, 'int64')], { inverse, onesided })]
      },
    },
  ],
})

function fullLength(length: Dim, { node }: Call<'DFT'>): Dim {
  if (node.inputs[1]) return length
  return multiplyDims(addDims(length, -1), 2)
}

export const stft = operator('STFT', {
  hazard: call => [1, 3].some(input => call.node.inputs[input] && !numbersIn(call, input)),
  infer: call => {
    const [signal, , window] = call.inputs
    const [step] = contentsOf(call, 1) ?? []
    const [given] = contentsOf(call, 3) ?? []
    const length = given ?? window?.shape?.[0] ?? ''
    // An engine divides by both.
    if ([step, length].some(size => typeof size === 'number' && size <= 0))
      refuse(call.node, `frames have a length and a step above 0, not ${length} and ${step}.`)
    const [batch = '', samples = ''] = signal!.shape ?? []
    const frames: Dim =
      typeof step === 'number' && typeof length === 'number'
        ? addDims(divideDims(addDims(samples, -length), step), 1)
        : ''
    const bins = call.attributes.onesided ? addDims(divideDims(length, 2), 1) : length
    const shape: Shape = [batch, frames, bins, 2]
    return [{ dtype: signal!.dtype, shape }]
  },
  gradient: notWritten,
  coupling: whole,
  cost: free,
  evaluate: no('left to the runtime'),
})

function windowOf(type: 'HannWindow' | 'HammingWindow' | 'BlackmanWindow') {
  return operator<typeof type>(type, {
    infer: call => [{ dtype: typeNumbered(call.attributes.output_datatype), shape: [contentsOf(call, 0)?.[0] ?? ''] }],
    gradient: no('it depends on a length alone'),
    coupling: () => [],
    cost: free,
    evaluate: no('left to the runtime'),
  })
}

export const hannWindow = windowOf('HannWindow')
export const hammingWindow = windowOf('HammingWindow')
export const blackmanWindow = windowOf('BlackmanWindow')

export const melWeightMatrix = operator('MelWeightMatrix', {
  infer: call => {
    const [bins, length] = [0, 1].map(input => contentsOf(call, input)?.[0] ?? '')
    const spectrum = addDims(divideDims(length!, 2), 1)
    return [{ dtype: typeNumbered(call.attributes.output_datatype), shape: [spectrum, bins!] }]
  },
  gradient: no('it follows from frequencies that nothing trains'),
  coupling: () => [],
  cost: free,
  evaluate: no('left to the runtime'),
})
