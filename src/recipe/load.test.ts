import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadRecipe } from './load.ts'

let folder: string
const at = (file: string) => join(folder, file)

const recipe = `{
  name: 'points',
  data: { source: { format: 'npz', train: 'a.npz', test: 'b.npz' }, validation: 10 },
  members: [{ name: 'small', architecture: { type: 'mlp', hidden: [4] }, training: { epochs: 1 } }],
}`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-load-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('loading a recipe', () => {
  test('works where no sinter is installed beside it', async () => {
    await writeFile(
      at('typed.config.ts'),
      `import { defineConfig } from 'sinter'\nexport default defineConfig(${recipe})\n`,
    )
    expect(await loadRecipe(at('typed.config.ts'))).toMatchObject({ name: 'points', seed: 0, choose: { folds: 5 } })
  })

  test('takes plain JavaScript, and each file anew', async () => {
    await writeFile(at('plain.js'), `export default ${recipe}\n`)
    expect((await loadRecipe(at('plain.js'))).name).toBe('points')
    await writeFile(at('plain.js'), `export default ${recipe.replace("'points'", "'lines'")}\n`)
    expect((await loadRecipe(at('plain.js'))).name).toBe('lines')
  })

  test('says what is wrong: no file, no valid module, no valid recipe', async () => {
    await expect(loadRecipe(at('none.ts'))).rejects.toMatchObject({ code: 'not-found' })
    await writeFile(at('broken.ts'), 'export default {{')
    await expect(loadRecipe(at('broken.ts'))).rejects.toMatchObject({ code: 'invalid-config' })
    await writeFile(at('needy.ts'), "import { x } from 'no-such-package'\nexport default x")
    await expect(loadRecipe(at('needy.ts'))).rejects.toThrow(/'no-such-package'\. Is it installed\?[^\n]*$/)
    await expect(loadRecipe(folder)).rejects.toThrow(/is a folder/)
    await writeFile(at('odd.ts'), 'export default { name: 3 }')
    await expect(loadRecipe(at('odd.ts'))).rejects.toThrow(/name: /)
  })
})
