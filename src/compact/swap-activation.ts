import { SinterError } from '../base/errors.ts'
import { numbers, type Tensor } from '../base/tensor.ts'
import { edit } from '../graph/edit.ts'
import type { Graph, Node } from '../graph/graph.ts'
import type { OpName } from '../ops/spec.ts'
import { infer, scopeOf } from '../read/infer.ts'

/** An elementwise function of a node's first input that can stand where another one stood. */
interface Activation {
  /** `hidden` ones follow layers; `gate` ones squash to a range that the net relies on, and go only when named. */
  readonly kind: 'hidden' | 'gate'
  /** Which nodes of the operator are activations; all if not given. */
  readonly when?: (node: Node, constant: (input: number) => Tensor | undefined) => boolean
}

/** The activations among the standard's operators. */
const activations = {
  Relu: { kind: 'hidden' },
  LeakyRelu: { kind: 'hidden' },
  PRelu: { kind: 'hidden' },
  ThresholdedRelu: { kind: 'hidden' },
  Elu: { kind: 'hidden' },
  Selu: { kind: 'hidden' },
  Celu: { kind: 'hidden' },
  Gelu: { kind: 'hidden' },
  HardSwish: { kind: 'hidden' },
  Swish: { kind: 'hidden' },
  Mish: { kind: 'hidden' },
  Softplus: { kind: 'hidden' },
  Softsign: { kind: 'gate' },
  Sigmoid: { kind: 'gate' },
  HardSigmoid: { kind: 'gate' },
  Tanh: { kind: 'gate' },
  // ReLU6 and its like: cut off at 0 and at a constant above.
  Clip: { kind: 'hidden', when: (_, constant) => numberIn(constant(1)) === 0 && numberIn(constant(2))! > 0 },
} as const satisfies Partial<Record<OpName, Activation>>

export type ActivationName = keyof typeof activations

export interface SwapOptions {
  /** Which activations go; every hidden one (not Sigmoid, Tanh and other gates) if not given. */
  readonly from?: readonly ActivationName[]
  /** What comes in their place. `Relu` if not given. */
  readonly to?: Exclude<ActivationName, 'PRelu' | 'Clip'>
}

/**
 * Replaces activation functions, attributes at their defaults. Changes what the graph computes: train it on afterwards.
 * @returns the graph (the same one if there was nothing to replace) and how many nodes were replaced
 */
export function swapActivations(
  graph: Graph,
  { from, to = 'Relu' }: SwapOptions = {},
): { graph: Graph; count: number } {
  for (const name of from ?? []) {
    if (!(name in activations))
      throw new SinterError(
        'invalid-argument',
        `'${name}' is not an activation. There are: ${Object.keys(activations).join(', ')}.`,
      )
  }
  const scope = scopeOf(graph, infer(graph))
  const leaves = (node: Node): boolean => {
    if (node.domain !== '' || node.op === to || !(node.op in activations)) return false
    const { kind, when }: Activation = activations[node.op as ActivationName]
    const asked = from ? from.includes(node.op as ActivationName) : kind === 'hidden'
    return asked && (when?.(node, input => scope.constant(node.inputs[input] ?? '')) ?? true)
  }
  const found = graph.nodes.filter(leaves)
  const swapped = edit(graph, draft => {
    for (const node of found) {
      const { name, inputs, outputs } = node
      draft.replace(node, { op: to, name, inputs: inputs.slice(0, 1), outputs })
    }
  })
  return { graph: swapped, count: found.length }
}

function numberIn(t: Tensor | undefined): number | undefined {
  return t?.data.length === 1 ? numbers(t)[0] : undefined
}
