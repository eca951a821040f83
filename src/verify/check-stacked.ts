import { SinterError } from '../base/errors.ts'
import { exactQuotient, shapeOf } from '../base/shape.ts'
import { type Tensor, zeros } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { countedAxis } from '../ops/axes.ts'
import { infer } from '../read/infer.ts'
import type { Backend, Feeds, Results } from '../runtime/backend.ts'
import type { DimChange } from '../surgery/set-dims.ts'
import { findFeeds } from './find-feeds.ts'
import { gap } from './gap.ts'
import { toleranceOf } from './tolerance.ts'

/**
 * Runs a model whose batch became a symbol on two examples at once, and the one that it was made of on each: outputs must
 * be the same.
 * @param changes what became a symbol, from what size; all of one symbol.
 * @returns undefined where they are; else what is wrong.
 * @throws SinterError where the original cannot be run on random values.
 */
export async function checkStacked(
  before: Graph,
  after: Graph,
  changes: readonly DimChange[],
  backend: Backend,
): Promise<string | undefined> {
  await using one = await backend.open(before)
  const [trial] = await findFeeds(one, before, { count: 1, seed: 1 })
  const { feeds: first, results: a } = trial!
  const shapes = Object.fromEntries(Object.entries(first).map(([name, { shape }]) => [name, shape]))
  const [other] = await findFeeds(one, before, { count: 1, seed: 2, shapes })
  const drawn = other!.feeds
  const axes = new Map(changes.map(({ input, axis }) => [input, countedAxis(axis, first[input]!.shape.length)]))
  // What does not grow is the same for both.
  const second: Feeds = Object.fromEntries(
    Object.entries(first).map(([name, value]) => [name, axes.has(name) ? drawn[name]! : value]),
  )
  const b = await one.run(second)
  const both: Feeds = Object.fromEntries(
    Object.entries(first).map(([name, value]) => {
      const axis = axes.get(name)
      return [name, axis === undefined ? value : stacked(value, second[name]!, axis)]
    }),
  )
  let together: Results
  try {
    await using two = await backend.open(after)
    together = await two.run(both)
  } catch (error) {
    if (error instanceof SinterError) return error.message
    throw error
  }
  const types = infer(after)
  // Kernels sum in other orders for other sizes.
  const allowed = 10 * toleranceOf(before)
  const symbol = changes[0]!.to
  for (const [name, value] of Object.entries(together)) {
    const axis = shapeOf(types.get(name))?.findIndex(dim => exactQuotient(dim, symbol) !== undefined && dim !== 0) ?? -1
    // An output without the symbol sums over the batch, or does not depend on it.
    if (axis < 0) continue
    const wanted = stacked(a[name]!, b[name]!, axis)
    const { relative, note } = gap(wanted, value)
    if (relative > allowed)
      return `the output '${name}' of two examples at once is not that of each by itself${note ? ` (${note})` : ''}`
  }
  return undefined
}

/** Two tensors of one type and shape, one behind the other along an axis. */
function stacked(a: Tensor, b: Tensor, axis: number): Tensor {
  const shape = a.shape.with(axis, a.shape[axis]! + (b.shape[axis] ?? 0))
  const made = zeros(a.dtype, shape)
  const block = a.shape.slice(axis).reduce((product, size) => product * size, 1)
  const [x, y, to] = [a.data, b.data, made.data] as unknown as readonly [number[], number[], number[]]
  for (let i = 0; i < x.length; i++) {
    const at = Math.floor(i / block) * 2 * block + (i % block)
    to[at] = x[i]!
    to[at + block] = y[i]!
  }
  return made
}
