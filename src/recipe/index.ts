export type { RunEvent } from './context.ts'
export { loadRecipe } from './load.ts'
export {
  defineConfig,
  hashRecipe,
  parseRecipe,
  type Recipe,
  type RecipeInput,
} from './recipe.ts'
export { type RunOptions, run } from './run.ts'
