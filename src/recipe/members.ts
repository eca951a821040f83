import pLimit from 'p-limit'
import { swapActivations } from '../compact/swap-activation.ts'
import type { Graph } from '../graph/graph.ts'
import type { EpochRecord } from '../train/history.ts'
import { buildMember } from './architecture.ts'
import { type RunContext, seedOf, trainIn } from './context.ts'
import { activationNames, type MemberRecipe } from './recipe.ts'

export interface Member {
  readonly name: string
  /** Raw values in, `logits` out. */
  readonly graph: Graph
  readonly history: readonly EpochRecord[]
  /** The epoch of the history whose weights it has. */
  readonly epoch: number
  readonly seconds: number
}

/**
 * Trains the recipe's members, as many side by side as there are threads, each on one: faster than one after the other
 * on all of them, and each one's weights depend on its seed alone. `onMember` is told of each as it is ready.
 */
export async function trainMembers(
  context: RunContext,
  onMember: (member: Member) => Promise<void>,
): Promise<readonly Member[]> {
  const limit = pLimit(context.threads)
  let failure: unknown
  const members = await Promise.all(
    context.recipe.members.map(member =>
      limit(async () => {
        // After a failure, what has not begun need not; what has begun ends by itself, its checkpoint written.
        if (failure !== undefined) return undefined
        try {
          const trained = await trainMember(context, member)
          await onMember(trained)
          return trained
        } catch (error) {
          failure ??= error
          return undefined
        }
      }),
    ),
  )
  if (failure !== undefined) throw failure
  return members.filter(member => member !== undefined)
}

async function trainMember(context: RunContext, member: MemberRecipe): Promise<Member> {
  const { name, architecture, training, swapActivation } = member
  const graph = buildMember(architecture, context.recipe, context.data, seedOf(context.recipe, name))
  const first = await trainIn(context, name, graph, training, 1)
  if (!swapActivation) return { name, ...first }
  const swapped = swapActivations(first.graph, { to: activationNames[swapActivation.to] })
  const second = await trainIn(context, `${name}-tuned`, swapped.graph, swapActivation.training, 1)
  const renumbered = second.history.map(record => ({ ...record, epoch: record.epoch + first.history.length }))
  return {
    name,
    graph: second.graph,
    history: [...first.history, ...renumbered],
    epoch: first.history.length + second.epoch,
    seconds: first.seconds + second.seconds,
  }
}
