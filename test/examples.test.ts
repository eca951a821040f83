import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadRecipe } from '../src/recipe/load.ts'
import { run } from '../src/recipe/run.ts'

const examples = resolve(import.meta.dirname, '../examples')

/** What each example must reach on a small part of its data, well above chance. */
const floors: Readonly<
  Record<
    string,
    {
      readonly quick: { train: number; validation: number; test: number; epochFactor: number }
      readonly accuracy: number
    }
  >
> = {
  digits: { quick: { train: 1280, validation: 500, test: 500, epochFactor: 1 }, accuracy: 0.6 },
}

describe('the examples', () => {
  test('are all held to a score', async () => {
    expect(await readdir(examples)).toEqual(Object.keys(floors))
  })

  test.each(Object.entries(floors))(
    '%s learns',
    async (name, { quick, accuracy }) => {
      const path = join(examples, name, 'sinter.config.ts')
      const recipe = await loadRecipe(path)
      const out = await mkdtemp(join(tmpdir(), 'sinter-example-'))
      try {
        const record = await run({ ...recipe, quick }, { path, out, quick: true, threads: 2 })
        const chosen = record.models.find(model => model.name === record.choice!.name)!
        expect(chosen.test!.accuracy).toBeGreaterThan(accuracy)
        expect(record.models).toHaveLength(recipe.members.length + recipe.fuse.methods.length + 1)
      } finally {
        await rm(out, { recursive: true, force: true })
      }
    },
    300_000,
  )
})
