import { SinterError } from '../base/errors.ts'
import { suggestion } from '../base/near-names.ts'
import { dialect, type Graph } from '../graph/graph.ts'
import { recorder, type Statistics } from '../rewrite/trace.ts'
import type { Backend } from '../runtime/backend.ts'
import { constantBytes } from '../simplify/constants/constant-bytes.ts'
import { foldWithBackend } from '../simplify/constants/fold-with-backend.ts'
import { type SimplifyOptions, simplify, steps } from '../simplify/index.ts'
import { defaultSettings } from '../simplify/settings.ts'
import { nameOf } from '../simplify/step.ts'

/** What the steps of `simplify`, and the folding that an engine takes part in, are told. */
interface StepOptions extends SimplifyOptions {
  readonly backend?: Backend
  readonly onProgress?: (text: string) => void
  readonly signal?: AbortSignal
}

/** What a step did. */
export interface StepReport {
  readonly name: string
  /** Replacements of a rule; runs of another step that changed the graph. */
  readonly changes: number
  readonly seconds: number
}

/** What running the steps told. */
export interface Told {
  readonly statistics: Statistics
  readonly bulk: StepReport
}

/** The step that an engine takes part in: it folds what Sinter itself does not compute. */
const bulkFolding = 'fold-with-backend'

/** Simplifies, folds in bulk what that left of constants, and once more if there was something. */
export async function applySteps(
  graph: Graph,
  options: StepOptions,
  skip: readonly string[],
): Promise<{ readonly graph: Graph; readonly told: Told }> {
  const { backend, only, onProgress, signal } = options
  const left = namesOfSteps(options).filter(name => !skip.includes(name))
  const within = (maxGrowth: number) => ({ ...stepOptions(options), maxGrowth })
  const simplified = {
    skip: ownSteps(options).filter(name => !left.includes(name)),
    ...(only ? { only: only.filter(name => name !== bulkFolding) } : {}),
  }
  /** What all rounds together may add, less what those before have. */
  const { maxGrowth = defaultSettings.maxGrowth } = options
  const limit = constantBytes(graph) + maxGrowth
  const allowed = (now: Graph) => Math.max(0, Math.min(maxGrowth, limit - constantBytes(now)))
  const heard = recorder()
  const bulk = { name: bulkFolding, changes: 0, seconds: 0 }
  let current = graph
  for (;;) {
    onProgress?.('simplifying')
    current = simplify({ ...within(allowed(current)), ...simplified })(current, heard.trace)
    signal?.throwIfAborted()
    if (!backend || !left.includes(bulkFolding)) break
    const started = performance.now()
    const folded = await foldWithBackend(current, backend, { maxGrowth: allowed(current) })
    bulk.seconds += (performance.now() - started) / 1000
    if (folded === current) break
    bulk.changes++
    current = folded
  }
  return { graph: current, told: { statistics: heard.statistics(), bulk } }
}

export function checkSteps({ skip = [], only = [] }: StepOptions): void {
  const unknown = [...skip, ...only].find(name => !stepNames().includes(name))
  if (unknown === undefined) return
  const message = `There is no step '${unknown}' in simplify. ${suggestion(unknown, stepNames())}`
  throw new SinterError('invalid-argument', message, { unknown, steps: stepNames() })
}

/** The names of the steps that the options leave in, in order. */
export function namesOfSteps(options: StepOptions): readonly string[] {
  const { skip = [], only } = options
  const bulk = options.backend ? [bulkFolding] : []
  return [...ownSteps(options), ...bulk].filter(name => !skip.includes(name) && (only?.includes(name) ?? true))
}

function ownSteps(options: StepOptions): readonly string[] {
  return steps(stepOptions(options)).map(nameOf)
}

/** Steps that mind no operator's form, of those wanted: what is done to graphs of other opsets than Sinter's. */
export function formless(only: readonly string[] | undefined): readonly string[] {
  const safe = ['drop-overridable', 'lift-constants', 'tie-constants', 'share-equal', 'drop-identity', 'drop-unused']
  return [...safe, bulkFolding].filter(name => only?.includes(name) ?? true)
}

/** Every step by name, in order. */
export function stepNames(): readonly string[] {
  return [...steps().map(nameOf), bulkFolding]
}

/** What the steps themselves are told. Rules say nothing newer than the result may hold; newer opsets come after them. */
function stepOptions({ opset, ...options }: StepOptions): SimplifyOptions {
  return {
    ...given(options, ['rounds', 'keepOverridable', 'maxGrowth', 'maxUnrolled']),
    ...(opset === undefined ? {} : { opset: Math.min(opset, dialect) }),
  }
}

/** Rules side by side run as one pass, whose time beyond their own goes to finding places for them. */
export function stepReports(names: readonly string[], told: Told | undefined): readonly StepReport[] {
  if (!told) return []
  const { statistics, bulk } = told
  const rules = new Map(statistics.rules.map(one => [one.rule, one]))
  const passes = new Map(statistics.passes.map(one => [one.title, one]))
  const reports = names.map((name): StepReport => {
    if (name === bulkFolding) return bulk
    const pass = passes.get(name)
    const rule = rules.get(name)
    return { name, changes: rule?.hits ?? pass?.changes ?? 0, seconds: rule?.seconds ?? pass?.seconds ?? 0 }
  })
  const all = statistics.passes.reduce((sum, { seconds }) => sum + seconds, bulk.seconds)
  const own = reports.reduce((sum, { seconds }) => sum + seconds, 0)
  return [...reports, { name: 'looking for patterns', changes: 0, seconds: Math.max(0, all - own) }]
}

/** Those of some options that are there, so that what is absent stays so. */
export function given<T extends object, K extends keyof T>(
  options: T,
  keys: readonly K[],
): { readonly [key in K]?: Exclude<T[key], undefined> } {
  return Object.fromEntries(keys.flatMap(key => (options[key] === undefined ? [] : [[key, options[key]]]))) as never
}
