/** Sinter in Node: everything of `index.ts`, and what reads files, writes them, or loads an engine. */
export { readCsvDataset, readIdxDataset, readLabelled, readNpz } from './data/index.ts'
export * from './index.ts'
export { load, save } from './read/index.ts'
export { defineConfig, loadRecipe, type Recipe, type RecipeInput, type RunEvent, run } from './recipe/index.ts'
export { type RunRecord, renderReport } from './report/index.ts'
export { onnxruntimeNode, onnxruntimeWorkers } from './runtime/index.ts'
export { type Trained, type TrainOptions, type TrainProgress, train, type Validation } from './train/index.ts'
export { readFeeds } from './verify/read-feeds.ts'
