import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createJiti } from 'jiti'
import { messageOf, SinterError } from '../base/errors.ts'
import { parseRecipe, type Recipe } from './recipe.ts'

/**
 * Loads a recipe file (TypeScript, JavaScript or JSON; its default export).
 * @throws SinterError `not-found` if there is none, `invalid-config` if it does not load or is not a valid recipe.
 */
export async function loadRecipe(path: string): Promise<Recipe> {
  const file = resolve(path)
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) throw new SinterError('not-found', `There is no recipe at ${path}.`, { path })
  let loaded: unknown
  try {
    // A recipe inside of this package's own checkout imports `sinter` by name as everyone else does.
    loaded = await createJiti(import.meta.url, { moduleCache: false }).import(file, { default: true })
  } catch (error) {
    throw new SinterError('invalid-config', `The recipe ${path} does not load: ${messageOf(error)}`, { path }, error)
  }
  return parseRecipe(loaded, path)
}
