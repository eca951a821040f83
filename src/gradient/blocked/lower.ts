import { isFixed, isTensorType, sameShape } from '../../base/shape.ts'
import type { Graph, Node } from '../../graph/graph.ts'
import { view } from '../../graph/view.ts'
import { wholeBlocks } from '../../ops/blocked-layout.ts'
import { elementwiseLinks } from '../../ops/broadcast.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import { callOf } from '../../ops/call.ts'
import { operatorOf } from '../../ops/index.ts'
import { type AttributesOf, keyOf, type OpName } from '../../ops/spec.ts'
import { attributesOfAxes, windowAxes } from '../../ops/window.ts'
import { extend } from '../../read/extend.ts'
import { infer, scopeOf } from '../../read/infer.ts'

/** What a lowering is told about a node. */
interface Lowering<K extends OpName> {
  readonly node: Node
  readonly attributes: AttributesOf[K]
  readonly op: Ops
  readonly block: number
  /** The type of a value in its ordinary layout, if it is a float32 tensor [N, C, H, W] of fixed size. */
  image(name: string): readonly [number, number, number, number] | undefined
  /** Whether a value is there in blocks already. */
  isBlocked(name: string): boolean
  /** The value in blocks, reordered if it is not there yet. */
  blocked(name: string): Ref
  /** The value in its ordinary layout. */
  ordinary(name: string): Ref
  /** The only node that reads a value, where there is just one and the graph does not put the value out. */
  reader(name: string): Node | undefined
  /** What has been taken off each channel of a blocked value, [C], by the value's name. */
  readonly centers: Map<string, Ref>
}

/** What stands for a node's outputs: values in blocks, and values in the ordinary layout. */
interface Lowered {
  readonly blocked?: Ref
  readonly ordinary?: readonly Ref[]
}

type Rule<K extends OpName = OpName> = (call: Lowering<K>) => Lowered | undefined

/**
 * The graph with its convolutions, and with what stands between them, in the blocked layout of the engine's CPU kernels
 * (see `BlockedAttributesOf`). Values are reordered only where they come from, or go to, what has no blocked form.
 * Parameters stay as they are. Shapes must be fixed.
 */
export function lowerToBlocked(graph: Graph, block: number): Graph {
  const types = infer(graph)
  const scope = scopeOf(graph, types)
  const image = (name: string) => {
    const type = types.get(name)
    if (!isTensorType(type) || type.dtype !== 'float32' || type.shape?.length !== 4 || !isFixed(type.shape)) return
    return type.shape as unknown as readonly [number, number, number, number]
  }
  const { consumers, isOutput } = view(graph)
  const reader = (name: string) => {
    const [only, ...others] = isOutput(name) ? [] : consumers(name)
    return others.length === 0 ? only : undefined
  }
  return extend(graph, (op, draft) => {
    const centers = new Map<string, Ref>()
    const blocks = new Map<string, Ref>()
    const replaced = new Map<string, Ref>()
    for (const node of graph.nodes) {
      const rule = ruleFor(node)
      const at = op.within(`${node.name || node.outputs[0]}/`)
      const ordinary = (name: string) => replaced.get(name) ?? name
      const blocked = (name: string) => {
        const known = blocks.get(name) ?? at['sinter.blocked.Block']([ordinary(name)], { block })
        blocks.set(name, known)
        return known
      }
      const { attributes } = callOf(node, scope)
      const isBlocked = (name: string) => blocks.has(name)
      const tools = { op: at, block, image, isBlocked, blocked, ordinary, reader, centers }
      const lowered = rule?.({ node, attributes, ...tools })
      if (!lowered) continue
      draft.remove(node)
      const [first, ...others] = node.outputs as [string, ...string[]]
      const outputs = [...(lowered.ordinary ?? [])]
      if (lowered.blocked !== undefined) {
        blocks.set(first, lowered.blocked)
        outputs.unshift(at['sinter.blocked.Unblock']([lowered.blocked], { channels: image(first)![1] }))
      }
      for (const [i, name] of [first, ...others].entries()) {
        replaced.set(name, outputs[i]!)
        draft.redirect(name, outputs[i]!, { outputs: true })
      }
    }
  })
}

function ruleFor(node: Node): Rule | undefined {
  const own = (rules as unknown as Readonly<Record<string, Rule>>)[keyOf(node)]
  if (own) return own
  return operatorOf(node)?.coupling === elementwiseLinks ? elementwise : undefined
}

/** Padding channels to whole blocks must not multiply the work by more than this: ordinary kernels are that much slower. */
const tolerableWork = 1.8

const conv: Rule<'Conv'> = ({ node, attributes, op, block, image, isBlocked, blocked, ordinary, reader, centers }) => {
  const [x, w, bias] = node.inputs as [string, string, string?]
  const [y] = node.outputs as [string]
  const [data, weights] = [image(x), image(w)]
  if (!data || !weights || attributes.group !== 1) return
  const [outputs, inputs, ...kernel] = weights
  const plain = inputs < block && !isBlocked(x)
  const work = (wholeBlocks(outputs, block) / outputs) * (plain ? 1 : wholeBlocks(inputs, block) / inputs)
  if (work > tolerableWork) return
  const window = attributesOfAxes(windowAxes(attributes, data.slice(2), kernel))
  // Blocked normalization loses digits where means are far from zero, and does not care for what is taken off before.
  const norm = bias ? undefined : reader(y)
  const center = norm && normalizesBatch(norm) ? ordinary(norm.inputs[3]!) : undefined
  if (center) centers.set(y, center)
  const shift = bias ? ordinary(bias) : center && op.Neg([center])
  const operands = [plain ? ordinary(x) : blocked(x), ordinary(w), shift]
  return { blocked: op['sinter.blocked.Conv'](operands, { ...window, block }) }
}

/** In the training form, which puts out the batch's own statistics. */
function normalizesBatch(node: Node): boolean {
  const { training_mode, momentum } = node.attributes
  return keyOf(node) === 'BatchNormalization' && training_mode?.value === 1 && momentum?.value === 0
}

const batchNormalization: Rule<'BatchNormalization'> = ({
  node,
  attributes,
  op,
  isBlocked,
  blocked,
  ordinary,
  centers,
}) => {
  const [x, scale, shift] = node.inputs as [string, string, string]
  if (!isBlocked(x) || !normalizesBatch(node)) return
  const operands = [blocked(x), ordinary(scale), ordinary(shift)]
  const [y, mean, variance] = op.many('sinter.blocked.BatchNormalization', 3, operands, { epsilon: attributes.epsilon })
  const center = centers.get(x)
  return { blocked: y!, ordinary: [center ? op.Add([mean, center]) : mean!, variance!] }
}

const maxPool: Rule<'MaxPool'> = ({ node, attributes, op, block, image, isBlocked, blocked }) => {
  const [x] = node.inputs as [string]
  const data = image(x)
  if (!data || !isBlocked(x) || node.outputs.length > 1) return
  const axes = windowAxes(attributes, data.slice(2), attributes.kernel_shape)
  const tiles = axes.every(
    a => a.stride === a.kernel && a.dilation === 1 && a.before === 0 && a.output * a.stride === a.input,
  )
  return tiles
    ? { blocked: op['sinter.blocked.MaxPool']([blocked(x)], { ...attributesOfAxes(axes), block }) }
    : undefined
}

const globalAveragePool: Rule<'GlobalAveragePool'> = ({ node, op, block, image, isBlocked, blocked }) => {
  const [x] = node.inputs as [string]
  if (!isBlocked(x)) return
  return { ordinary: [op['sinter.blocked.GlobalAveragePool']([blocked(x)], { block, channels: image(x)![1] })] }
}

/** Operators whose value and slope at zero are finite: zeros that fill a block up stay harmless in them. */
const finiteAtZero: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Sum', 'Max', 'Min', 'Neg', 'Abs', 'Clip', 'Relu', 'LeakyRelu', 'Elu', 'Selu', 'Celu'],
  ...['Sigmoid', 'Tanh', 'Softplus', 'Softsign', 'HardSigmoid', 'HardSwish', 'Swish', 'Gelu', 'Mish'],
])

/** Elementwise operators do not care about layout: where one operand is in blocks already, the others join it. */
const elementwise: Rule = ({ node, attributes, op, block, image, isBlocked, blocked, ordinary }) => {
  const [output, ...others] = node.outputs as [string, ...string[]]
  const result = image(output)
  if (!result || others.length > 0 || !node.inputs.some(isBlocked)) return
  if (result[1] % block !== 0 && !finiteAtZero.has(keyOf(node))) return
  const isSingle = (name: string) => name === '' || op.shape(name).every(size => size === 1)
  const isWhole = (name: string) => sameShape(image(name), result)
  if (!node.inputs.every(name => isSingle(name) || isWhole(name))) return
  const operands = node.inputs.map(name => (name === '' ? '' : isWhole(name) ? blocked(name) : ordinary(name)))
  return { blocked: op.many(keyOf(node) as OpName, 1, operands, attributes)[0]! }
}

const rules = {
  Conv: conv,
  BatchNormalization: batchNormalization,
  MaxPool: maxPool,
  GlobalAveragePool: globalAveragePool,
}
