import { numbers } from '../../base/tensor.ts'
import { countedAxis } from '../../ops/axes.ts'
import type { Found, Vocabulary } from '../../rewrite/pattern.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { isNeverNegative } from './never-negative.ts'

/** Height, width... that a Pad adds before and after, `[...before, ...after]` as convolutions say it; or why not. */
function spatialPads(pad: Found<'Pad'>, tools: Tools, fill: number | 'lowest'): readonly number[] | string {
  const { constant, type } = tools
  const [x = '', padsRef = '', valueRef = '', axesRef = ''] = pad.node.inputs
  if (pad.attributes.mode !== 'constant') return `it pads by ${pad.attributes.mode}`
  const rank = type(x)?.shape?.length
  const pads = constant(padsRef)
  const axes = axesRef === '' ? undefined : constant(axesRef)
  if (!pads || rank === undefined || (axesRef !== '' && !axes)) return 'how much it pads is not known'
  const value = valueRef === '' ? 0 : constant(valueRef) && numbers(constant(valueRef)!)[0]
  if (value === undefined || (fill === 'lowest' ? value > -3.4e38 : value !== fill))
    return 'it pads with another number'
  const given = numbers(pads)
  const named = axes ? Array.from(numbers(axes), axis => countedAxis(axis, rank)) : [...Array(rank).keys()]
  const [before, after] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)]
  named.forEach((axis, i) => {
    before[axis] = given[i]!
    after[axis] = given[named.length + i]!
  })
  const all = [...before, ...after]
  if (all.some(size => size < 0)) return 'it cuts off'
  if ([before[0], before[1], after[0], after[1]].some(size => size !== 0)) return 'it pads batch or channels'
  return [...before.slice(2), ...after.slice(2)]
}

interface Windowed {
  readonly pads?: readonly number[] | undefined
  readonly auto_pad?: string
}

/** The pads of both together; undefined where the window's own are not stated in numbers. */
function joined({ pads, auto_pad = 'NOTSET' }: Windowed, more: readonly number[]): readonly number[] | undefined {
  if (auto_pad !== 'NOTSET' && auto_pad !== 'VALID') return undefined
  return more.map((size, i) => size + (auto_pad === 'VALID' ? 0 : (pads?.[i] ?? 0)))
}

/** Attributes with padding in numbers. */
function padded<A extends Windowed>({ auto_pad, pads, ...rest }: A, now: readonly number[]) {
  return { ...rest, pads: now }
}

const unstated = 'its own padding is not stated in numbers'

/** A Pad of `x` that nothing else reads. */
const onlyPad = ({ op, any, rest }: Vocabulary) =>
  op
    .Pad([any('x'), rest('how')])
    .once()
    .as('pad')

/** Zeros padded around the input of a convolution are its own padding. */
export const padIntoConv = rule({
  name: 'pad-into-conv',
  match: vocabulary => vocabulary.op.Conv([onlyPad(vocabulary), vocabulary.rest('weights')]).as('conv'),
  replace({ x, pad, weights, conv }, tools) {
    const more = spatialPads(pad, tools, 0)
    if (typeof more === 'string') return tools.decline(more)
    const pads = joined(conv.attributes, more)
    if (!pads) return tools.decline(unstated)
    return tools.op.Conv([x, ...weights], padded(conv.stated, pads))
  },
})

/** The lowest number padded around the input of a MaxPool is its own padding. */
export const padIntoMaxPool = rule({
  name: 'pad-into-max-pool',
  match: vocabulary => vocabulary.op.MaxPool([onlyPad(vocabulary)]).as('pool'),
  replace({ x, pad, pool }, tools) {
    const { op, decline } = tools
    if (pool.node.outputs.length > 1) return decline('its indices count the padding')
    let more = spatialPads(pad, tools, 'lowest')
    // Among numbers that are not negative, a zero is never the only largest.
    if (typeof more === 'string' && isNeverNegative(x, tools)) more = spatialPads(pad, tools, 0)
    if (typeof more === 'string') return decline(more)
    const pads = joined(pool.attributes, more)
    if (!pads) return decline(unstated)
    if (pool.attributes.ceil_mode) return decline('its last window may reach beyond the padding')
    if (!narrower(pads, pool.attributes)) return decline('the padding is as wide as the window')
    return op.MaxPool([x], padded(pool.stated, pads))
  },
})

/** Zeros padded around the input of an AveragePool that counts its padding are its own padding. */
export const padIntoAveragePool = rule({
  name: 'pad-into-average-pool',
  match: vocabulary => vocabulary.op.AveragePool([onlyPad(vocabulary)]).as('pool'),
  replace({ x, pad, pool }, tools) {
    const { op, decline } = tools
    const { attributes } = pool
    const more = spatialPads(pad, tools, 0)
    if (typeof more === 'string') return decline(more)
    const own = joined(
      attributes,
      more.map(() => 0),
    )
    const pads = joined(attributes, more)
    if (!pads || !own) return decline(unstated)
    if (!attributes.count_include_pad && own.some(size => size !== 0))
      return decline('it does not count its own padding')
    if (attributes.ceil_mode) return decline('its last window may reach beyond the padding')
    if (!narrower(pads, attributes)) return decline('the padding is as wide as the window')
    return op.AveragePool([x], { ...padded(pool.stated, pads), count_include_pad: 1 })
  },
})

/** Engines refuse padding that a whole window fits into. */
function narrower(
  pads: readonly number[],
  {
    kernel_shape,
    dilations,
  }: { readonly kernel_shape: readonly number[]; readonly dilations?: readonly number[] | undefined },
): boolean {
  const rank = kernel_shape.length
  return pads.every((size, i) => size < kernel_shape[i % rank]! && (dilations?.[i % rank] ?? 1) === 1)
}
