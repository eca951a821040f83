import { throwIfInterrupted } from '../base/interrupt.ts'
import { dropBlock, insideBlocks, residualBlocks } from '../compact/drop-blocks.ts'
import { l1Norm, l2Norm, randomImportance } from '../compact/importance.ts'
import { planPruning } from '../compact/plan-pruning.ts'
import { prune } from '../compact/prune.ts'
import { swapActivations } from '../compact/swap-activation.ts'
import { metrics } from '../evaluate/metrics.ts'
import type { Graph } from '../graph/graph.ts'
import type { RunCompactStep, RunSnapshot } from '../report/run-record.ts'
import { simplify } from '../simplify/index.ts'
import type { EpochRecord } from '../train/history.ts'
import { type RunContext, seedOf, trainIn } from './context.ts'
import { predictionsOf, sizeOf, speedOf } from './measure.ts'
import type { Member } from './members.ts'
import { toShip } from './model.ts'
import { activationNames, type CompactStepRecipe } from './recipe.ts'

export interface Compacted {
  readonly graph: Graph
  readonly steps: readonly RunCompactStep[]
  readonly history: readonly EpochRecord[]
  /** Of fine-tuning alone. */
  readonly seconds: number
}

/** What a step made of a graph, in words. */
interface Changed {
  readonly graph: Graph
  readonly what: string
  /** Why nothing was done, or what else is worth knowing. */
  readonly note: string | null
}

/** Which channels go first, in words. */
const chosenBy = { l1: 'of smallest L1 norm', l2: 'of smallest L2 norm', random: 'at random' } as const

/** A batch of one row, whatever its symbol is called. */
const oneRow = { '*': 1 }

/** Takes a member through the recipe's steps, each followed by its fine-tuning, and measures before and after each. */
export async function compactMember(
  context: RunContext,
  member: Member,
  recipe: readonly CompactStepRecipe[],
): Promise<Compacted> {
  let { graph } = member
  let before = await snapshot(context, graph)
  const steps: RunCompactStep[] = []
  const history: EpochRecord[] = []
  let seconds = 0
  for (const [i, step] of recipe.entries()) {
    throwIfInterrupted(context.signal, `Stopped before the step ${step.type} of the compaction.`)
    context.emit({ type: 'stage', title: `Compact ${member.name}: ${step.type}` })
    const changed = await apply(context, graph, step)
    const unchanged = changed.graph === graph
    graph = changed.graph
    if (!unchanged && 'training' in step && step.training) {
      const tuned = await trainIn(context, `compact-${i + 1}-${step.type}`, graph, step.training, context.threads)
      graph = tuned.graph
      seconds += tuned.seconds
      history.push(...tuned.history.map(record => ({ ...record, epoch: record.epoch + history.length })))
    }
    const after = unchanged ? before : await snapshot(context, graph)
    steps.push({ name: step.type, what: changed.what, before, after, note: changed.note })
    before = after
  }
  return { graph, steps, history, seconds }
}

async function apply(context: RunContext, graph: Graph, step: CompactStepRecipe): Promise<Changed> {
  switch (step.type) {
    case 'fold-batch-norm': {
      const folded = simplify({ only: ['fold-batch-norm', 'drop-unused'] })(graph)
      const count = graph.nodes.length - folded.nodes.length
      return {
        graph: folded,
        what: `${count} of ${graph.nodes.length} nodes folded away; lossless`,
        note: count === 0 ? 'there was nothing to fold' : null,
      }
    }
    case 'swap-activation': {
      const { graph: swapped, count } = swapActivations(graph, { to: activationNames[step.to] })
      return {
        graph: swapped,
        what: `${count} activations replaced by ${activationNames[step.to]}`,
        note: count === 0 ? `every activation is ${activationNames[step.to]} already` : null,
      }
    }
    case 'prune': {
      const inBlocks = residualBlocks(graph).length > 0
      const importance = { l1: l1Norm, l2: l2Norm, random: randomImportance(seedOf(context.recipe, 'prune')) }[
        step.importance
      ]
      const options = {
        ...(step.keep === undefined ? { macs: step.macs! } : { keep: step.keep }),
        importance,
        roundTo: step.roundTo,
        bind: oneRow,
        ...(inBlocks ? { only: insideBlocks(graph) } : {}),
      }
      const made = planPruning(graph, options)
      const cut = made.groups.reduce((sum, { remove }) => sum + remove.length, 0)
      const where = inBlocks ? 'inside residual blocks' : 'anywhere'
      if (cut === 0) return { graph, what: 'no channels cut', note: `no channel ${where} can leave` }
      return {
        graph: prune(graph, made),
        what: `${cut} channels ${chosenBy[step.importance]} cut, ${where}`,
        note: null,
      }
    }
    case 'drop-blocks':
      return dropBlocks(context, graph, step.count)
  }
}

/** Drops the blocks whose removal changes the validation loss least, one after the other. */
async function dropBlocks({ data, backend, threads }: RunContext, graph: Graph, count: number): Promise<Changed> {
  const lossOf = async (one: Graph) =>
    metrics.logLoss.value(await predictionsOf(one, data.validation, backend, threads))
  const dropped: string[] = []
  let current = graph
  for (let i = 0; i < count; i++) {
    const tried: { name: string; graph: Graph; loss: number }[] = []
    for (const { name, removable } of residualBlocks(current, { bind: oneRow })) {
      if (!removable) continue
      const without = dropBlock(current, name)
      tried.push({ name, graph: without, loss: await lossOf(without) })
    }
    const least = tried.sort((a, b) => a.loss - b.loss)[0]
    if (!least) break
    dropped.push(`${least.name} (validation loss ${least.loss.toFixed(3)} without it, of ${tried.length} tried)`)
    current = least.graph
  }
  if (dropped.length === 0)
    return { graph, what: 'no block dropped', note: 'no residual block keeps the shape of what goes into it' }
  return { graph: current, what: `dropped ${dropped.join(', ')}`, note: null }
}

async function snapshot(context: RunContext, graph: Graph): Promise<RunSnapshot> {
  const shipped = toShip(graph, 'compact', context.provenance)
  const predictions = await predictionsOf(shipped, context.data.validation, context.backend, context.threads)
  const { latency } = await speedOf(shipped, context.data.validation, context.recipe.data.input, context.backend)
  return { ...sizeOf(shipped), latency, validationAccuracy: metrics.accuracy.value(predictions) }
}
