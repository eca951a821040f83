import { isInteger } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { numbers, type Tensor } from '../base/tensor.ts'
import { describe, type Node } from '../graph/graph.ts'
import { axisOf } from './axes.ts'
import type { Ref } from './build.ts'
import { eachPosition, elementsOf, larger, smaller, stridesOf, take, tensorOf } from './elements.ts'
import { type Compute, functionFor } from './elementwise.ts'
import { filled } from './fill.ts'
import { type Backward, free, no, type Operator, operator } from './operator.ts'
import type { OpName } from './spec.ts'

const byIndex = no('its indices say which elements are overwritten')

export const scatterElements = operator('ScatterElements', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: call => {
    const { op, attributes, x, dy, needs } = call
    const { axis } = attributes
    return scatterGradient(
      call,
      () => op.ScatterElements([dy[0], x[1], filled(op, dy[0]!, op.shape(x[1]!), 0)], { axis }),
      needs[2] ? op.GatherElements([dy[0], x[1]], { axis }) : null,
    )
  },
  coupling: byIndex,
  cost: free,
  moves: [0, 2],
  // Scatter, as it was called before, and older versions have no reduction.
  evaluate: ({ attributes: { axis, reduction = 'none' } }, [x, indices, updates]) => {
    const at = axisOf(axis, x!.shape.length)
    const strides = stridesOf(x!.shape)
    const picked = numbers(indices!)
    const targets: number[] = []
    eachPosition(indices!.shape, (position, flat) => {
      const to = position.map((i, k) => (k === at ? axisOf(picked[flat]!, x!.shape[k]!) : i))
      targets.push(to.reduce((sum, i, k) => sum + i * strides[k]!, 0))
    })
    return [scattered(x!, targets, updates!, reduction)]
  },
})

/** The name of ScatterElements before opset 11. */
export const scatter: Operator = {
  ...(scatterElements as unknown as Operator),
  type: 'Scatter' as OpName,
  upgrades: [
    {
      to: 11,
      apply: ({ attributes }, op, x) => [op.ScatterElements(x, { axis: (attributes as { axis: number }).axis })],
    },
  ],
}

export const scatterND = operator('ScatterND', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: call => {
    const { op, x, dy, needs } = call
    return scatterGradient(
      call,
      () => op.ScatterND([dy[0], x[1], filled(op, dy[0]!, op.shape(x[2]!), 0)]),
      needs[2] ? op.GatherND([dy[0], x[1]]) : null,
    )
  },
  coupling: byIndex,
  cost: free,
  moves: [0, 2],
  evaluate: ({ attributes: { reduction = 'none' } }, [x, indices, updates]) => {
    const depth = indices!.shape.at(-1)!
    const strides = stridesOf(x!.shape)
    const picked = numbers(indices!)
    const width = x!.shape.slice(depth).reduce((a, b) => a * b, 1)
    const targets = Array.from({ length: updates!.data.length }, (_, i) => {
      const row = Math.floor(i / width) * depth
      let start = 0
      for (let k = 0; k < depth; k++) start += axisOf(picked[row + k]!, x!.shape[k]!) * strides[k]!
      return start + (i % width)
    })
    return [scattered(x!, targets, updates!, reduction)]
  },
})

/** Gradients of data and updates, given that of the data where nothing is overwritten, and dy where it is. */
function scatterGradient(call: Backward<'ScatterElements' | 'ScatterND'>, untouched: () => Ref, written: Ref | null) {
  const { attributes, dy, needs, node } = call
  if (attributes.reduction === 'add') return [dy[0]!, null, written]
  if (attributes.reduction === 'none') return [needs[0] ? untouched() : null, null, written]
  return refuseReduction(node, attributes.reduction)
}

function refuseReduction(node: Node, reduction: string): never {
  throw new SinterError(
    'not-differentiable',
    `${describe(node)} has no gradient: only its reductions 'none' and 'add' have one, not '${reduction}'.`,
    { node: node.name, reduction },
  )
}

const reducers: Readonly<Record<string, Compute>> = {
  add: { float: (old, update) => old! + update!, integer: (old, update) => old! + update! },
  mul: { float: (old, update) => old! * update!, integer: (old, update) => old! * update! },
  max: { float: Math.max, integer: (old, update) => larger(old!, update!) },
  min: { float: Math.min, integer: (old, update) => smaller(old!, update!) },
}

function scattered(x: Tensor, targets: readonly number[], updates: Tensor, reduction: string): Tensor {
  if (reduction === 'none') return overwritten(x, targets, updates)
  const apply = functionFor(reducers[reduction]!, isInteger(x.dtype))
  const result: (number | bigint | boolean)[] = [...elementsOf(x)]
  const values = elementsOf(updates)
  targets.forEach((to, i) => {
    result[to] = apply(result[to] as number, values[i] as number)
  })
  return tensorOf(x.dtype, x.shape, result)
}

/** Without a reduction, elements of any type. */
function overwritten(x: Tensor, targets: readonly number[], updates: Tensor): Tensor {
  const result = take(
    x,
    x.shape,
    Array.from({ length: x.data.length }, (_, i) => i),
  )
  const data = result.data as { [i: number]: unknown }
  targets.forEach((to, i) => {
    data[to] = updates.data[i]
  })
  return result
}
