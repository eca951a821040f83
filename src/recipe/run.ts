import { access, mkdir, rm, stat } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { messageOf, SinterError } from '../base/errors.ts'
import { writeAtomically } from '../base/files.ts'
import { counted } from '../report/format.ts'
import { readRunRecord, runFileName, writeRunRecord } from '../report/run-file.ts'
import type { RunRecord } from '../report/run-record.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { onnxruntimeWorkers } from '../runtime/worker-engine.ts'
import { fastestLayout } from '../train/layout.ts'
import { compactMember } from './compaction.ts'
import type { RunContext, RunEvent } from './context.ts'
import { loadData } from './data.ts'
import { evaluateAll } from './evaluation.ts'
import { checkFolds, fuseMembers } from './fusion.ts'
import { trainMembers } from './members.ts'
import { hashRecipe, type Recipe } from './recipe.ts'
import { byValidation, Shelf } from './shelf.ts'
import { versions } from './versions.ts'

export interface RunOptions {
  /** The recipe's file: its data's paths are relative to it. */
  readonly path: string
  /** The folder that the run writes; made if need be. */
  readonly out: string
  /** Go on with what the folder holds; without it, a folder that holds a run is refused. */
  readonly resume?: boolean
  /** The recipe's short form. */
  readonly quick?: boolean
  /** Cores to use; all of them if left out. Members train on one each, so weights do not depend on this. */
  readonly threads?: number
  readonly onEvent?: (event: RunEvent) => void
  readonly signal?: AbortSignal
}

/**
 * Carries out a recipe: trains the members, compacts the strongest, fuses, chooses by cross-validation, evaluates on the
 * test part, and writes everything into the run folder. `run.json` is there from the start and completed stage by stage.
 * @throws SinterError `interrupted` if the signal aborts; what was finished is kept and `resume` goes on from it.
 */
export async function run(recipe: Recipe, options: RunOptions): Promise<RunRecord> {
  const { path, out, resume = false, quick = false, threads = cpus().length, onEvent = () => {}, signal } = options
  if (quick && !recipe.quick)
    throw new SinterError('invalid-config', `The recipe '${recipe.name}' has no short form: add a section 'quick'.`, {
      recipe: recipe.name,
    })
  if (!(Number.isInteger(threads) && threads > 0))
    throw new SinterError('invalid-argument', `threads must be a whole number above 0, not ${threads}.`, { threads })
  const hash = hashRecipe(recipe)
  const started = await begin(out, resume, { hash, quick })
  const data = await loadData(recipe, path, quick)
  if (recipe.members.length > 1) await checkFolds(recipe, data)
  const version = await versions()
  const provenance = { classes: data.classes, recipeHash: hash, version: version.sinter }
  const checkpoints = join(out, 'checkpoints')
  const backend = threads > 1 ? onnxruntimeWorkers : onnxruntimeNode
  const layout = await fastestLayout(backend)
  const context: RunContext = {
    recipe,
    data,
    provenance,
    quick,
    threads,
    signal,
    backend,
    layout,
    checkpoint: name => join(checkpoints, `${name}.safetensors`),
    emit: onEvent,
  }
  let record: RunRecord = {
    schema: 1,
    name: recipe.name,
    status: 'interrupted',
    started,
    finished: null,
    seed: recipe.seed,
    versions: version,
    recipe: { name: recipe.name, hash, quick },
    machine: {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: cpus().length,
      threads,
      platform: `${process.platform}-${process.arch}`,
      layout: layout === 'portable' ? layout : `blocks of ${layout.block}`,
    },
    data: {
      name: recipe.name,
      unit: data.shape.length > 2 ? 'images' : 'rows',
      train: data.train.size,
      validation: data.validation.size,
      test: data.test.size,
      classes: [...data.classes],
    },
    models: [],
    compact: null,
    selection: null,
    choice: null,
    evaluation: [],
  }
  const save = async (change: Partial<RunRecord>) => {
    record = { ...record, ...change }
    await writeRunRecord(out, record)
  }
  try {
    await save({})
    await mkdir(checkpoints, { recursive: true })
    onEvent({
      type: 'stage',
      title: `Train ${counted(recipe.members.length, 'member')} on ${counted(data.train.size, 'example')}`,
    })
    const shelf = new Shelf(context, out, models => save({ models }))
    const members = await trainMembers(context, member => shelf.addMember(member))

    if (recipe.compact) {
      const strongest = members.toSorted((a, b) => byValidation(shelf.entry(a.name), shelf.entry(b.name)))[0]!
      const compacted = await compactMember(context, strongest, recipe.compact.steps)
      await shelf.addCompact(compacted, strongest)
      await save({ compact: { from: strongest.name, model: 'compact', steps: [...compacted.steps] } })
    }
    if (members.length > 1) {
      onEvent({ type: 'stage', title: `Choose by ${recipe.choose.folds}-fold cross-validation` })
      await save(await fuseMembers(context, shelf, members))
    }
    onEvent({ type: 'stage', title: `Evaluate on ${counted(data.test.size, 'test example')}` })
    await save(await evaluateAll(context, shelf, record))
    await save({ status: 'complete', finished: new Date().toISOString() })
    // Drawing takes half a second to load, and only a run that got here needs it.
    const { renderReport } = await import('../report/html.ts')
    await writeAtomically(join(out, 'report.html'), renderReport(record))
    await rm(checkpoints, { recursive: true, force: true })
    return record
  } catch (error) {
    // What ended the run is told even where the record of it cannot be written, and a failure as one even after a stop.
    await save({ finished: new Date().toISOString() }).catch(() => {})
    if (error instanceof SinterError && error.code === 'interrupted') {
      throw new SinterError(
        'interrupted',
        `Stopped. What was finished is in ${out}; go on with --resume ${out}.`,
        { out, reason: messageOf(error) },
        error,
      )
    }
    throw error
  }
}

/** Refuses a folder that cannot be the run's, and makes nothing yet; gives the time at which the run was first begun. */
async function begin(out: string, resume: boolean, wanted: { hash: string; quick: boolean }): Promise<string> {
  const exists = await access(join(out, runFileName)).then(
    () => true,
    () => false,
  )
  if (!resume) {
    if (exists)
      throw new SinterError(
        'invalid-argument',
        `${out} holds a run already: give another folder, or go on with --resume ${out}.`,
        { out },
      )
    const found = await stat(out).catch(() => undefined)
    if (found && !found.isDirectory())
      throw new SinterError('invalid-argument', `${out} is a file: a run writes a folder; give another name.`, { out })
    return new Date().toISOString()
  }
  if (!exists) throw new SinterError('not-found', `${out} holds no run to resume.`, { out })
  const { recipe, status, started } = await readRunRecord(out)
  const details = { out, found: recipe, wanted }
  if (recipe.hash !== wanted.hash) {
    const message = `The run in ${out} follows another recipe: put the recipe back as it was, or begin anew without --resume.`
    throw new SinterError('invalid-argument', message, details)
  }
  if (recipe.quick !== wanted.quick) {
    const message = `The run in ${out} was begun with${recipe.quick ? '' : 'out'} --quick: go on with it so.`
    throw new SinterError('invalid-argument', message, details)
  }
  if (status === 'complete') {
    const message = `The run in ${out} is complete: nothing is left to do. Without --resume a new one begins.`
    throw new SinterError('invalid-argument', message, { out })
  }
  return started
}
