import { reasonOf, SinterError } from '../base/errors.ts'
import type { Shape } from '../base/shape.ts'
import type { Graph } from '../graph/graph.ts'
import { encodedBytes } from '../onnx/encoded-bytes.ts'
import { checkOpset, inOldestOpset, inOpset } from '../read/in-opset.ts'
import { infer } from '../read/infer.ts'
import { countNodes } from '../read/summary.ts'
import { type Refusal, upgrade } from '../read/upgrade.ts'
import type { RuleStatistics } from '../rewrite/trace.ts'
import type { Backend, Feeds } from '../runtime/backend.ts'
import { dropFailingBranches } from '../simplify/control-flow/drop-failing-branches.ts'
import type { SimplifyOptions } from '../simplify/index.ts'
import { pinInputs } from '../surgery/pin-inputs.ts'
import { restoreNames } from '../surgery/restore-names.ts'
import { stripMetadata } from '../surgery/strip-metadata.ts'
import {
  applySteps,
  checkSteps,
  formless,
  given,
  namesOfSteps,
  type StepReport,
  stepReports,
  type Told,
} from './apply-steps.ts'
import { type Checked, checked, type SkippedStep } from './checked.ts'
import { outputDifferences } from './equivalence.ts'

export interface SimplifyModelOptions extends Omit<SimplifyOptions, 'opset'> {
  /** Runs the graphs that are compared, and what is folded in bulk. Without one nothing is compared. */
  readonly backend?: Backend
  /** Whether outputs are compared with the original's, given a backend; on if left out. */
  readonly check?: boolean
  /** Shapes that inputs are fixed to, in the model; '' leaves a dimension open. */
  readonly pin?: Readonly<Record<string, Shape>>
  /** Shapes of inputs for the comparison alone. */
  readonly testWith?: Readonly<Record<string, readonly number[]>>
  /** Feeds for the comparison, instead of random ones. */
  readonly feeds?: readonly Feeds[]
  readonly seed?: number
  /** Part of an output's scale by which it may move; see `toleranceOf`. */
  readonly tolerance?: number
  readonly threads?: number
  /** The opset of the result; if left out, the oldest that can say it, no older than the model's own. */
  readonly opset?: number
  /** Tensors and nodes made anew take the names of those that they replace. */
  readonly keepNames?: boolean
  /** Leave out documentation, metadata, and the types of values in between. */
  readonly strip?: boolean
  /** Told what is being done, in a few words. */
  readonly onProgress?: (text: string) => void
  readonly signal?: AbortSignal
}

/** What simplifying did to a model, and how its result was checked. */
export interface SimplifyReport {
  /** Nodes that compute something, those in the bodies of others included. */
  readonly nodes: { readonly before: number; readonly after: number }
  /** As a file takes them, external data included. */
  readonly bytes: { readonly before: number; readonly after: number }
  readonly opset: { readonly before: number | null; readonly after: number | null }
  /** Without the check. */
  readonly seconds: number
  readonly check: {
    /** Whether the outputs are the same; null where they were not compared. */
    readonly ok: boolean | null
    readonly maxAbsDifference: number | null
    /** As a part of the output's scale. */
    readonly maxRelativeDifference: number | null
    /** Runs that were compared. */
    readonly feeds: number
    readonly seconds: number
    /** Why the outputs, or one of them, were not compared. */
    readonly notChecked: string | null
  }
  /** Every step that ran, in order; after them, the time that looking for patterns took. */
  readonly passes: readonly StepReport[]
  /** What the rules among them declined, and why. */
  readonly rules: readonly RuleStatistics[]
  /** Steps left out because the result was wrong with them. */
  readonly skipped: readonly SkippedStep[]
  /** What else is worth knowing: nodes that could not be upgraded, rounds that did not come to an end. */
  readonly notes: readonly string[]
}

/**
 * Simplifies a model as it was read, of any opset, and makes sure that the result computes what the model did: outputs
 * are compared on random feeds, or those given, and a step that changes them is found and left out.
 * @throws SinterError `invalid-argument` for a step that does not exist, or pins and feeds that do not fit;
 *   `not-supported` if a node cannot be said in the opset asked for, with `details.nodes`; `interrupted` when stopped.
 */
export async function simplifyModel(
  model: Graph,
  options: SimplifyModelOptions = {},
): Promise<{ readonly graph: Graph; readonly report: SimplifyReport }> {
  const { backend, check = true, pin = {}, testWith, opset, keepNames = false, strip = false, signal } = options
  checkSteps(options)
  if (opset !== undefined) checkOpset(opset)
  const started = performance.now()
  const pinned = Object.keys(pin).length === 0 ? undefined : pinnedTo(model, pin)
  const { graph: start, refused } = upgrade(pinned ?? model)
  // What stays in an older opset has operators in forms that most steps do not know.
  const taken = refused.length === 0 ? options : { ...options, only: formless(options.only) }
  const older = opset !== undefined && opset < (start.opset[''] ?? opset)
  let told: Told | undefined
  const build = (skip: readonly string[]) => async (graph: Graph) => {
    const made = await applySteps(graph, taken, skip)
    told = made.told
    const named = keepNames ? restoreNames(made.graph, model) : made.graph
    const said =
      opset === undefined ? inOldestOpset(named, model.opset[''] ?? 1) : older ? inOpset(named, opset) : named
    return strip ? stripMetadata(said) : said
  }
  const names = namesOfSteps(taken)
  const comparing = {
    ...(testWith === undefined ? {} : { shapes: testWith }),
    ...(pinned === undefined ? {} : { inputs: pinned.inputs }),
    ...given(options, ['feeds', 'seed', 'tolerance', 'threads', 'onProgress', 'signal']),
  }
  const result = await checked(start, build, names, {
    against: model,
    asked: askedFor(pinned !== undefined, older ? opset : undefined),
    ...(backend && check ? { backend } : {}),
    ...comparing,
  })
  signal?.throwIfAborted()
  const graph = opset === undefined || older ? result.graph : inOpset(result.graph, opset)
  const seconds = (performance.now() - started) / 1000 - result.seconds
  const report = reportOf({
    model,
    graph,
    seconds,
    told,
    names,
    result,
    refused,
    check,
  })
  if (graph === result.graph || !report.check.ok) return { graph, report }
  // Engines need not know the newest opsets; the result before it was raised is right by then.
  const raised = await outputDifferences(model, graph, undefined, backend!, comparing)
  if (raised.refused !== undefined)
    return {
      graph,
      report: {
        ...report,
        notes: [
          ...report.notes,
          `outputs are those before it was raised to opset ${opset}, which the engine does not take: ${raised.refused}`,
        ],
      },
    }
  if (raised.same) return { graph, report }
  throw new SinterError('not-supported', `In opset ${opset} the model gives other outputs; leave the opset out.`, {
    opset,
    outputs: raised.outputs,
  })
}

/**
 * A model with inputs of fixed shapes.
 * @throws SinterError as `pinInputs` does; `invalid-argument` if nothing runs with them.
 */
function pinnedTo(model: Graph, pin: Readonly<Record<string, Shape>>): Graph {
  const pinned = pinInputs(model, pin)
  try {
    infer(pinned)
    return pinned
  } catch (error) {
    if (!(error instanceof SinterError)) throw error
    const message = `The model cannot run with the shapes that it is pinned to: ${reasonOf(error)}. Give others.`
    throw new SinterError('invalid-argument', message, { pin }, error)
  }
}

function askedFor(pinned: boolean, opset: number | undefined): string | undefined {
  const parts = [...(pinned ? ['with these shapes'] : []), ...(opset === undefined ? [] : [`in opset ${opset}`])]
  return parts.length === 0 ? undefined : parts.join(' ')
}

interface Facts {
  readonly model: Graph
  readonly graph: Graph
  readonly seconds: number
  readonly told: Told | undefined
  readonly names: readonly string[]
  readonly result: Checked
  readonly refused: readonly Refusal[]
  readonly check: boolean
}

function reportOf({ model, graph, seconds, told, names, result, refused, check }: Facts): SimplifyReport {
  const { equivalence, skipped, unchecked } = result
  const compared = equivalence !== undefined && equivalence.compared > 0
  const leftOut = Object.entries(equivalence?.outputs ?? {}).flatMap(([name, { skipped, note }]) =>
    skipped && note !== undefined ? [`output '${name}' ${note}`] : [],
  )
  const { opset } = model
  const passes = stepReports(
    names.filter(name => !skipped.some(({ step }) => step === name)),
    told,
  )
  return {
    nodes: { before: countNodes(model), after: countNodes(graph) },
    bytes: { before: encodedBytes(model), after: encodedBytes(graph) },
    opset: { before: opset[''] ?? null, after: graph.opset[''] ?? null },
    seconds,
    check: {
      ok: compared ? equivalence.same : null,
      maxAbsDifference: compared ? equivalence.absolute : null,
      maxRelativeDifference: compared ? equivalence.relative : null,
      feeds: compared ? equivalence.feeds : 0,
      seconds: result.seconds,
      notChecked: check ? (unchecked ?? (leftOut.length > 0 ? leftOut.join('; ') : null)) : 'it was not asked for',
    },
    passes,
    rules: told?.statistics.rules ?? [],
    skipped,
    notes: [
      ...(told?.statistics.passes.some(({ title, changes }) => title === dropFailingBranches.title && changes > 0)
        ? ['a branch of an If whose shapes do not fit is left out: it failed whenever it was taken']
        : []),
      ...refused.map(({ node, why }) => `kept in opset ${opset['']}, which not every step knows, by ${node}: ${why}`),
      ...growthNote(encodedBytes(model), encodedBytes(graph), passes),
      ...(told?.statistics.unsettled ?? []).map(title => `${title} stopped before it had come to a standstill`),
    ],
  }
}

/** What takes back the growth that other steps bring about, where that was left out. */
function growthNote(before: number, after: number, passes: readonly StepReport[]): readonly string[] {
  const absent = ['tie-constants', 'share-equal', 'drop-unused'].filter(
    step => !passes.some(({ name }) => name === step),
  )
  if (after <= 1.01 * before || absent.length === 0) return []
  return [`the model has grown; steps that did not run may take that back: ${absent.join(', ')}`]
}
