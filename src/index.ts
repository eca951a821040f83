export { SinterError, type SinterErrorCode } from './base/errors.ts'
export { defineConfig, type Recipe, type RecipeInput } from './recipe/recipe.ts'
