import { SinterError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { formatShape, type TensorType } from '../base/shape.ts'
import { type Tensor, tensor } from '../base/tensor.ts'
import type { Ops, Ref } from '../ops/build.ts'
import type { Initializer } from './initializers.ts'

/**
 * A place in the network, in the sense of PyTorch: it has a path (`layer1.0.conv2`), owns the parameters under it
 * (`layer1.0.conv2.weight`), and names the nodes it makes after itself (`layer1.0.conv2/conv`).
 */
export interface Module {
  readonly path: string
  readonly op: Ops
  /**
   * A module inside of this one: under the name given, or else its kind and the next free number (`conv1`, `conv2`).
   * @throws SinterError `invalid-argument` if the name is taken.
   */
  child(kind: string, name?: string): Module
  /**
   * A parameter of this module, made on the first call; further calls share it. Its first values depend only on the
   * network's seed and its name, so that adding a layer does not change the others.
   * @throws SinterError `invalid-argument` if it was made with another shape.
   */
  parameter(name: string, shape: readonly number[], initial: Initializer, weights?: readonly number[]): Ref
}

/** Where the parameters of a network being built go. */
export interface ParameterStore {
  add(name: string, value: Tensor): void
}

export function rootModule(op: Ops, random: Random, store: ParameterStore): Module {
  const shapes = new Map<string, readonly number[]>()
  const parameter = (name: string, shape: readonly number[], initial: Initializer, weights?: readonly number[]) => {
    const known = shapes.get(name)
    if (known) {
      if (`${known}` === `${shape}`) return name
      throw new SinterError(
        'invalid-argument',
        `'${name}' has the shape ${formatShape(known)}; applied to this value it would need ${formatShape(shape)}. ` +
          `A layer that is applied twice shares its parameters: make a second layer.`,
        { parameter: name, known, shape },
      )
    }
    shapes.set(name, shape)
    store.add(name, tensor('float32', shape, initial(shape, random.fork(name), weights)))
    return name
  }
  const make = (path: string): Module => {
    const names = new Set<string>()
    const under = path === '' ? '' : `${path}.`
    return {
      path,
      op: op.within(`${path}/`),
      child(kind, name) {
        if (name !== undefined && names.has(name))
          throw new SinterError(
            'invalid-argument',
            `There is a '${under}${name}' already: give each layer a name of its own.`,
            { name: under + name },
          )
        let own = name ?? `${kind}1`
        for (let i = 2; names.has(own); i++) own = `${kind}${i}`
        names.add(own)
        return make(under + own)
      },
      parameter: (name, ...rest) => parameter(under + name, ...rest),
    }
  }
  return make('')
}

/**
 * A value's type where a layer needs to know its rank, and its number of channels: the size of axis 1.
 * @throws SinterError `invalid-argument` if the rank or the channels are not known.
 */
export function channelsOf(
  { op, path }: Module,
  x: Ref,
): { readonly type: TensorType; readonly rank: number; readonly channels: number } {
  const type = op.type(x)
  const channels = type.shape?.[1]
  if (type.shape && typeof channels === 'number') return { type, rank: type.shape.length, channels }
  throw new SinterError(
    'invalid-argument',
    `'${path}' is applied to ${formatShape(type.shape)}; it needs a known number of channels on axis 1.`,
    { layer: path, shape: type.shape },
  )
}
