import { SinterError } from '../base/errors.ts'
import { full, numbers } from '../base/tensor.ts'
import { describe } from '../graph/graph.ts'
import { elementwiseLinks } from './broadcast.ts'
import { scalarLike } from './elementwise.ts'
import { free, type Link, no, operator, type TypedCall } from './operator.ts'

/** The standard's probability to drop an element, where none is given. */
const defaultRatio = 0.5

export const dropout = operator('Dropout', {
  // Before opset 10 the mask was of the data's type.
  infer: ({ opset, inputs: [x] }) => {
    const { dtype, shape } = x!
    return [
      { dtype, shape },
      { dtype: opset < 10 ? dtype : 'bool', shape },
    ]
  },
  gradient: ({ node, op, x, y: [, mask], dy: [dy], constant }) => {
    const mode = constant(2)
    if (!x[2] || (mode && numbers(mode)[0] === 0)) return [dy!]
    const rate = constant(1)
    if (!mode || !mask || (x[1] && !rate)) {
      const why = 'in training it must put out its mask, and its mode and ratio must be constants'
      throw new SinterError('not-differentiable', `${describe(node)} has no gradient: ${why}.`, {
        node: node.name,
        why,
      })
    }
    const ratio = rate ? numbers(rate)[0]! : defaultRatio
    return [op.Mul([op.Mul([dy, scalarLike(op, dy!, 1 / (1 - ratio))]), op.CastLike([mask, dy])])]
  },
  coupling: linksOfBoth,
  cost: free,
  evaluate: no('what it drops is drawn at random'),
  // The seed is the node's own: each session draws the same masks in the same order.
  training: ({ node, op, x: [data, ratio], seed, attributes }) => {
    const on = op.constant({ dtype: 'bool', shape: [], data: Uint8Array.of(1) }, 'training')
    const outputs = op.many('Dropout', 2, [data, ratio, on], { seed: attributes.seed ?? seed })
    return { outputs: outputs.slice(0, Math.max(1, node.outputs.length)) }
  },
  upgrades: [
    {
      to: 12,
      apply({ node, attributes, opset }, op, [x]) {
        const { ratio, is_test: tests } = attributes as { readonly ratio?: number; readonly is_test?: number }
        // Until opset 6 it was for training unless it was told otherwise.
        const trains = opset < 7 && !tests
        const inputs = [x, op.scalar(ratio ?? defaultRatio), trains ? op.constant(full('bool', [], 1)) : null]
        const [y, mask] = op.many('Dropout', node.outputs[1] ? 2 : 1, inputs)
        if (!mask) return [y!]
        // What the mask holds outside of training was left open; onnxruntime fills in zeros.
        const none = op.Not([mask])
        return [y!, opset < 10 ? op.CastLike([none, x!]) : none]
      },
    },
  ],
})

function linksOfBoth(call: TypedCall): readonly Link[] {
  const links = elementwiseLinks({ ...call, inputs: call.inputs.slice(0, 1) })
  return call.outputs[1] ? [...links, ...links.map((link): Link => ({ ...link, to: ['out', 1, link.to[2]] }))] : links
}
