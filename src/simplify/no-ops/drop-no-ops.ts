import { sameShape } from '../../base/shape.ts'
import { numbers, type Tensor } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import type { OpName } from '../../ops/spec.ts'
import { type Rule, rule, type Tools } from '../../rewrite/rule.ts'

/** A node and what is known around it. */
interface Look extends Pick<Tools, 'type' | 'constant'> {
  readonly node: Node
  readonly attributes: Readonly<Record<string, unknown>>
}

/** Which input comes out as it is; undefined if none does. */
type Passes = (look: Look) => number | undefined

const first = (holds: boolean) => (holds ? 0 : undefined)

/** Type and shape of an input are those of the output: for operators that keep the order of the elements that is all. */
const unchanged = ({ node, type }: Look, input = 0): boolean => {
  const [x, y] = [type(node.inputs[input] ?? ''), type(node.outputs[0]!)]
  return x !== undefined && x.dtype === y?.dtype && sameShape(x.shape, y.shape)
}

const sameElements: Passes = look => first(unchanged(look))
const single: Passes = ({ node }) => first(node.inputs.length === 1)
const oneByOne: Passes = ({ attributes: { kernel_shape, strides, pads } }) =>
  first(onlyHas(kernel_shape, 1) && onlyHas(strides ?? [], 1) && onlyHas(pads ?? [], 0))

function onlyHas(list: unknown, value: number): boolean {
  return Array.isArray(list) && list.every(one => one === value)
}

function isAll(t: Tensor | undefined, value: number): boolean {
  return t !== undefined && t.dtype !== 'string' && Array.from(numbers(t)).every(one => one === value)
}

/** 0, 1, 2, ... */
function counts(list: ArrayLike<number>): boolean {
  for (let i = 0; i < list.length; i++) if (list[i] !== i) return false
  return true
}

/** An input that is left out, or is constantly one number. */
function isBut({ node, constant }: Look, input: number, value: number): boolean {
  const name = node.inputs[input]
  return !name || isAll(constant(name), value)
}

const rows: Readonly<Partial<Record<OpName, Passes>>> = {
  Cast: sameElements,
  CastLike: sameElements,
  Expand: sameElements,
  Flatten: sameElements,
  Reshape: sameElements,
  Squeeze: sameElements,
  Tile: sameElements,
  Unsqueeze: sameElements,
  // Of axes of size 1 there is nothing to sum up.
  ReduceMax: sameElements,
  ReduceMean: sameElements,
  ReduceMin: sameElements,
  ReduceProd: sameElements,
  ReduceSum: sameElements,
  GlobalAveragePool: sameElements,
  GlobalMaxPool: sameElements,
  Slice: look => first(unchanged(look) && isBut(look, 4, 1)),
  Pad: look => first(look.node.inputs[1] !== undefined && isBut(look, 1, 0)),
  Transpose({ node, attributes, type }) {
    const perm = attributes.perm as readonly number[] | undefined
    return first(perm ? counts(perm) : (type(node.inputs[0]!)?.shape?.length ?? 2) < 2)
  },
  Concat: single,
  Max: single,
  Mean: single,
  Min: single,
  Sum: single,
  Split: ({ node }) => first(node.outputs.length === 1),
  Dropout: look => first(isBut(look, 2, 0)),
  AveragePool: oneByOne,
  MaxPool: oneByOne,
  Resize(look) {
    const { node, attributes } = look
    if (attributes.coordinate_transformation_mode === 'tf_crop_and_resize') return undefined
    const sizes = Boolean(node.inputs[3]) && attributes.keep_aspect_ratio_policy === 'stretch'
    return first(node.inputs[2] ? isBut(look, 2, 1) : sizes && unchanged(look))
  },
  Clip: ({ node }) => first(!node.inputs[1] && !node.inputs[2]),
  LeakyRelu: ({ attributes }) => first(attributes.alpha === 1),
  DepthToSpace: ({ attributes }) => first(attributes.blocksize === 1),
  SpaceToDepth: ({ attributes }) => first(attributes.blocksize === 1),
  Gather(look) {
    const indices = look.constant(look.node.inputs[1]!)
    return first(indices?.shape.length === 1 && unchanged(look) && counts(numbers(indices)))
  },
  Einsum({ node, attributes }) {
    const [from, to, ...more] = String(attributes.equation).replace(/\s/g, '').split('->')
    const letters = from!.replace('...', '')
    return first(
      node.inputs.length === 1 && more.length === 0 && from === to && new Set(letters).size === letters.length,
    )
  },
  Where(look) {
    const condition = look.constant(look.node.inputs[0]!)
    const taken = isAll(condition, 1) ? 1 : isAll(condition, 0) ? 2 : undefined
    return taken && unchanged(look, taken) ? taken : undefined
  },
  BatchNormalization({ node, attributes, constant }) {
    if (attributes.training_mode) return undefined
    const constants = node.inputs.slice(1, 5).map(constant)
    if (!constants.every(t => t !== undefined)) return undefined
    const [scale, shift, mean, variance] = constants.map(numbers) as [Numbers, Numbers, Numbers, Numbers]
    const epsilon = Number(attributes.epsilon)
    return first(
      Array.from(scale).every((s, c) => {
        const factor = Math.fround(s / Math.sqrt(variance[c]! + epsilon))
        return factor === 1 && Math.fround(shift[c]! - mean[c]!) === 0
      }),
    )
  },
  ScatterND(look) {
    const { node, attributes, constant, type } = look
    const indices = constant(node.inputs[1]!)
    if (!indices || (attributes.reduction ?? 'none') !== 'none') return undefined
    const shape = type(node.inputs[0]!)?.shape
    const depth = indices.shape.at(-1)!
    return unchanged(look, 2) && shape && isGrid(indices, shape.slice(0, depth)) ? 2 : undefined
  },
}

type Numbers = ArrayLike<number>

/** Whether indices of shape [...sizes, rank] name each place of a grid in order. */
function isGrid(indices: Tensor, sizes: readonly (number | string)[]): boolean {
  if (sizes.length !== indices.shape.at(-1) || indices.shape.length !== sizes.length + 1) return false
  if (!sizes.every((size, axis) => size === indices.shape[axis])) return false
  const values = numbers(indices)
  let at = 0
  const position = sizes.map(() => 0)
  while (at < values.length) {
    for (const i of position) if (values[at++] !== i) return false
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      if (++position[axis]! < Number(sizes[axis])) break
      position[axis] = 0
    }
  }
  return true
}

/** Nodes that give back one of their inputs as it is: by what they are told to do, and by the shapes around them. */
export const dropNoOps: Rule = rule({
  name: 'drop-no-ops',
  match: ({ op, rest, either }) =>
    either(...(Object.keys(rows) as OpName[]).map(name => op[name]([rest('inputs')]).as('node'))),
  replace({ inputs, node: { type: name, node, attributes } }, { type, constant, decline }) {
    const passes = rows[name]!({ node, attributes: { ...attributes }, type, constant })
    if (passes === undefined || !inputs[passes])
      return decline('it gives back none of its inputs as it is, as far as is known')
    return [inputs[passes], ...node.outputs.slice(1).map(() => null)]
  },
})
