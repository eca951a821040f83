import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SinterError } from '../base/errors.ts'
import { metrics } from '../evaluate/metrics.ts'
import type { Predictions } from '../evaluate/predictions.ts'
import type { Graph } from '../graph/graph.ts'
import { writeModel } from '../onnx/files.ts'
import { finiteOrNull, type RunEpoch, type RunModel } from '../report/run-record.ts'
import type { EpochRecord } from '../train/history.ts'
import type { Compacted } from './compaction.ts'
import type { RunContext } from './context.ts'
import { predictionsOf, qualityOf, sizeOf } from './measure.ts'
import type { Member } from './members.ts'
import { describeModel, toShip } from './model.ts'

/** A model that is ready to ship: what it is, and what it says of the validation part. */
export interface Entry {
  readonly graph: Graph
  readonly model: RunModel
  readonly validation: Predictions
}

/** What an entry is made of, besides its graph. */
type Facts = Pick<RunModel, 'name' | 'kind' | 'members' | 'trainSeconds' | 'history'> & { readonly file: string }

/** The finished models of a run: each is written to its file as it comes in, and told of. */
export class Shelf {
  readonly #entries = new Map<string, Entry>()
  readonly #context: RunContext
  readonly #folder: string
  readonly #changed: (models: RunModel[]) => Promise<void>

  constructor(context: RunContext, folder: string, changed: (models: RunModel[]) => Promise<void>) {
    this.#context = context
    this.#folder = folder
    this.#changed = changed
  }

  /** Members in the recipe's order, then the others in the order they were made. */
  get entries(): readonly Entry[] {
    const order = this.#context.recipe.members.map(({ name }) => name)
    const rank = ({ model }: Entry) => (model.kind === 'member' ? order.indexOf(model.name) : order.length)
    return [...this.#entries.values()].sort((a, b) => rank(a) - rank(b))
  }

  entry(name: string): Entry {
    const found = this.#entries.get(name)
    if (!found) throw new SinterError('not-found', `The run has no model '${name}'.`, { name })
    return found
  }

  async addMember({ name, graph, history, epoch, seconds }: Member): Promise<void> {
    const facts = { name, kind: 'member', file: `members/${name}.onnx`, members: [], trainSeconds: seconds } as const
    await this.#add(toShip(graph, name, this.#context.provenance), { ...facts, history: epochsOf(history, epoch) })
  }

  async addCompact({ graph, history, seconds }: Compacted, from: Member): Promise<void> {
    const facts = { name: 'compact', kind: 'compact', file: 'compact.onnx', members: [] } as const
    const trainSeconds = from.seconds + seconds
    await this.#add(toShip(graph, 'compact', this.#context.provenance), {
      ...facts,
      trainSeconds,
      history: epochsOf(history, history.length),
    })
  }

  async addEnsemble(name: string, file: string, graph: Graph, members: readonly string[]): Promise<void> {
    const trainSeconds = members.reduce((sum, member) => sum + this.entry(member).model.trainSeconds, 0)
    const facts = { name, kind: 'ensemble', file, members: [...members], trainSeconds, history: [] } as const
    await this.#add(describeModel(graph, name, this.#context.provenance), facts)
  }

  async #add(graph: Graph, facts: Facts): Promise<void> {
    const { data, backend } = this.#context
    const path = join(this.#folder, facts.file)
    await mkdir(dirname(path), { recursive: true })
    await writeModel(path, graph)
    const validation = await predictionsOf(graph, data.validation, backend, 1)
    const unknown = { latency: null, throughput: null, test: null }
    const model = { ...facts, ...sizeOf(graph), ...unknown, validation: qualityOf(validation) }
    this.#entries.set(facts.name, { graph, model, validation })
    await this.#changed(this.entries.map(entry => entry.model))
  }
}

/** Orders entries by what they say of the validation part, the best first: by accuracy, and of equals by log loss. */
export function byValidation(a: Entry, b: Entry): number {
  const { accuracy, logLoss } = metrics
  const better = accuracy.value(b.validation) - accuracy.value(a.validation)
  return better || logLoss.value(a.validation) - logLoss.value(b.validation)
}

function epochsOf(history: readonly EpochRecord[], best: number): RunEpoch[] {
  return history.map(({ epoch, loss, seconds, throughput, rate, validation: { accuracy, logLoss } }) => ({
    epoch,
    loss,
    trainSeconds: seconds,
    throughput,
    learningRate: rate,
    validation: accuracy === undefined ? null : { accuracy, logLoss: finiteOrNull(logLoss ?? Number.NaN) },
    best: epoch === best,
  }))
}
