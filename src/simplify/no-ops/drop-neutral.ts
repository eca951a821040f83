import type { Shape } from '../../base/shape.ts'
import { numbers, type Tensor } from '../../base/tensor.ts'
import type { OpName } from '../../ops/spec.ts'
import { rule } from '../../rewrite/rule.ts'

type Neutral = (c: Tensor) => boolean

/** Every element is one number. 0 and -0 are the same here. */
const all =
  (value: number): Neutral =>
  c => {
    if (c.dtype === 'string') return false
    const elements = numbers(c)
    for (let i = 0; i < elements.length; i++) if (elements[i] !== value) return false
    return true
  }

/** All bits are set, in a type of so many: -1, or the largest number that is not negative. */
const allOnes: Neutral = c => all(c.dtype.startsWith('u') ? 2 ** (8 * bytes(c)) - 1 : -1)(c)
const bytes = ({ data }: Tensor) => (data as Uint8Array).BYTES_PER_ELEMENT

/**
 * Which second operand changes nothing. Adding 0 makes 0 of -0, which no other operation but a division by it can tell:
 * that is taken for nothing. A product with 0 is not 0 for what is infinite, so that no such rule stands here.
 */
const neutral: Readonly<Partial<Record<OpName, Neutral>>> = {
  Add: all(0),
  Sub: all(0),
  Mul: all(1),
  Div: all(1),
  Pow: all(1),
  PRelu: all(1),
  And: all(1),
  Or: all(0),
  Xor: all(0),
  Max: all(Number.NEGATIVE_INFINITY),
  Min: all(Number.POSITIVE_INFINITY),
  BitwiseAnd: allOnes,
  BitwiseOr: all(0),
  BitwiseXor: all(0),
  BitShift: all(0),
}

/** An elementwise operation whose constant operand changes nothing, and does not make the other one larger either. */
export const dropNeutral = rule({
  name: 'drop-neutral',
  match: ({ op, any, constant, either }) =>
    either(
      ...(Object.entries(neutral) as [OpName, Neutral][]).map(([name, test]) =>
        op[name]([any('x'), constant('c', test)]),
      ),
    ),
  replace({ x, c }, { type, decline }) {
    return fitsWithin(c.shape, type(x)?.shape) ? x : decline(`'${c.ref}' may broadcast '${x}' to a larger shape`)
  },
})

/** Whether broadcasting a fixed shape against another leaves that other as it is. */
function fitsWithin(shape: readonly number[], other: Shape | undefined): boolean {
  if (shape.length === 0) return true
  if (!other || shape.length > other.length) return false
  const lead = other.length - shape.length
  return shape.every((size, axis) => size === 1 || size === other[axis + lead])
}
