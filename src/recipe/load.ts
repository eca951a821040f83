import { stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
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
  if (found?.isDirectory())
    throw new SinterError('not-found', `${path} is a folder: give the recipe in it, such as sinter.config.ts.`, {
      path,
    })
  if (!found?.isFile()) throw new SinterError('not-found', `There is no recipe at ${path}.`, { path })
  let loaded: unknown
  try {
    const jiti = createJiti(import.meta.url, { moduleCache: false, alias: aliasFor(file) })
    loaded = await jiti.import(file, { default: true })
  } catch (error) {
    throw new SinterError('invalid-config', `The recipe ${path} does not load: ${reasonOf(error)}`, { path }, error)
  }
  return parseRecipe(loaded, path)
}

/** What kept a module from loading, in a line: without what follows it of who required it. */
function reasonOf(error: unknown): string {
  const [reason] = messageOf(error).split('\nRequire stack:')
  const [, missing] = /^Cannot find (?:module|package) '([^'./][^']*)'/.exec(reason!) ?? []
  const line = reason!.replace(/\s*\n\s*/g, ' ').trim()
  return missing === undefined ? line : `${line}. Is it installed? npm install ${missing}`
}

/**
 * Recipes import `sinter` by name. Where none is installed beside them, as with a global installation, they get
 * `defineConfig` from this one.
 */
function aliasFor(recipe: string): Record<string, string> {
  try {
    createRequire(pathToFileURL(recipe)).resolve('sinter')
    return {}
  } catch {
    const extension = extname(fileURLToPath(import.meta.url))
    return { sinter: fileURLToPath(new URL(`./recipe${extension}`, import.meta.url)) }
  }
}
