import { sameShape } from '../../base/shape.ts'
import { affine } from '../../ops/blocked-layout.ts'
import type { Ref } from '../../ops/build.ts'
import { rewrite } from '../../rewrite/apply.ts'
import { rule } from '../../rewrite/rule.ts'

const nchwc = 'com.microsoft.nchwc.Conv'

/** Gradients that meet at the data of several strided convolutions: added part by part, woven once. */
const addInterleaved = rule({
  name: 'add-interleaved',
  match: ({ op, rest }) =>
    op.Add([
      op['sinter.blocked.Interleave']([rest('left')])
        .once()
        .as('weave'),
      op['sinter.blocked.Interleave']([rest('right')])
        .once()
        .as('other'),
    ]),
  replace({ left, right, weave, other }, { op, decline }) {
    const { strides, block } = weave.attributes
    if (other.attributes.strides.join() !== strides.join()) return decline('they are woven differently')
    const parts = Array.from({ length: strides[0]! * strides[1]! }, (_, i) => {
      const both = [left[i], right[i]].filter((part): part is Ref => part !== undefined && part !== '')
      return both.length === 2 ? op.Add(both) : (both[0] ?? null)
    })
    return op['sinter.blocked.Interleave'](parts, { strides, block })
  },
})

/** A sum whose other operand nothing reads later: the convolution adds to it where it lies. */
const addInPlace = rule({
  name: 'add-in-place',
  match: ({ op, any, maybe }) =>
    op.Add([
      op[nchwc]([any('x'), any('w'), maybe('b')])
        .once()
        .as('conv'),
      any('sum'),
    ]),
  replace({ x, w, b, sum, conv }, { op, decline, type, uses }) {
    if (conv.stated.activation) return decline('the convolution has an activation')
    if (uses(sum) > 1) return decline('the other operand is read elsewhere')
    if (!sameShape(type(sum)?.shape, type(conv.node.outputs[0]!)?.shape)) return decline('the sum broadcasts')
    return op[nchwc]([x, w, b, sum], conv.stated)
  },
})

/** A shortcut that is read elsewhere: copied by a fast kernel, and then added to in place, with the activation. */
const addShortcut = rule({
  name: 'add-shortcut',
  match: ({ op, any, maybe }) =>
    op.Relu([
      op
        .Add([
          op[nchwc]([any('x'), any('w'), maybe('b')])
            .once()
            .as('conv'),
          any('sum'),
        ])
        .once(),
    ]),
  replace({ x, w, b, sum, conv }, { op, decline, type }) {
    if (conv.stated.activation) return decline('the convolution has an activation')
    if (!sameShape(type(sum)?.shape, type(conv.node.outputs[0]!)?.shape)) return decline('the sum broadcasts')
    return op[nchwc]([x, w, b, affine(op, sum, {})], { ...conv.stated, activation: 'Relu' })
  },
})

const activate = rule({
  name: 'activate',
  match: ({ op, any, maybe }) =>
    op.Relu([
      op[nchwc]([any('x'), any('w'), maybe('b'), maybe('sum')])
        .once()
        .as('conv'),
    ]),
  replace({ x, w, b, sum, conv }, { op, decline }) {
    if (conv.stated.activation) return decline('the convolution has an activation')
    return op[nchwc]([x, w, b, sum], { ...conv.stated, activation: 'Relu' })
  },
})

/** Before operators are expanded. */
export const fuseBlocked = rewrite('fuse-blocked', [addInterleaved])

/** When they are: onnxruntime fuses into its own blocked convolutions only what it has blocked itself. */
export const fuseEngine = rewrite('fuse-engine', [addInPlace, addShortcut, activate])
