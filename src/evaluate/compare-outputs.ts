import { SinterError } from '../base/errors.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { numbers, type Tensor } from '../base/tensor.ts'
import type { Feeds, Session } from '../runtime/backend.ts'

/** How far two tensors are apart. */
export interface Difference {
  /** The largest |a - b|; infinite where one of the two is not a number or they are different infinities. */
  readonly absolute: number
  /** The largest |a - b| divided by the largest finite |a|: as a part of the values' scale. */
  readonly relative: number
}

export interface Comparison extends Difference {
  /** By output. `absolute` and `relative` are the largest of these. */
  readonly outputs: Readonly<Record<string, Difference>>
}

/**
 * Runs two sessions on the same feeds and compares the outputs that both have (or those named).
 * @throws SinterError `invalid-argument` if they have no output in common, or an output's shapes differ.
 */
export async function compareOutputs(
  a: Session,
  b: Session,
  feeds: Feeds,
  fetch: readonly string[] = commonOutputs(a, b),
): Promise<Comparison> {
  if (fetch.length === 0)
    throw new SinterError('invalid-argument', 'The two models have no output of the same name to compare.', {
      a: a.outputs.map(({ name }) => name),
      b: b.outputs.map(({ name }) => name),
    })
  const [first, second] = [await a.run(feeds, fetch), await b.run(feeds, fetch)]
  const outputs = Object.fromEntries(fetch.map(name => [name, difference(name, first[name]!, second[name]!)]))
  const largest = (key: keyof Difference) => Math.max(...Object.values(outputs).map(found => found[key]))
  return { absolute: largest('absolute'), relative: largest('relative'), outputs }
}

function commonOutputs(a: Session, b: Session): string[] {
  return a.outputs.map(({ name }) => name).filter(name => b.outputs.some(output => output.name === name))
}

function difference(name: string, a: Tensor, b: Tensor): Difference {
  if (!sameShape(a.shape, b.shape) || (a.dtype === 'string') !== (b.dtype === 'string'))
    throw new SinterError(
      'invalid-argument',
      `The output '${name}' is ${a.dtype}${formatShape(a.shape)} in one model and ${b.dtype}${formatShape(b.shape)} in the other.`,
      { output: name, a: a.shape, b: b.shape },
    )
  if (a.dtype === 'string') {
    const apart = (a.data as readonly string[]).some((text, i) => text !== b.data[i]) ? Number.POSITIVE_INFINITY : 0
    return { absolute: apart, relative: apart }
  }
  const [x, y] = [numbers(a), numbers(b)]
  let absolute = 0
  let scale = 0
  for (let i = 0; i < x.length; i++) {
    const [p, q] = [x[i]!, y[i]!]
    if (Number.isFinite(p)) scale = Math.max(scale, Math.abs(p))
    if (Object.is(p, q) || p === q) continue
    const apart = Math.abs(p - q)
    absolute = Math.max(absolute, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart)
  }
  return { absolute, relative: absolute === 0 ? 0 : absolute / scale }
}
