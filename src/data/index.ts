export { compose, randomFlip, randomShift, type ShiftOptions } from './augment.ts'
export { type BatchesOptions, batchCount, batches, type Transform } from './batches.ts'
export { type CsvOptions, type CsvTable, parseCsv } from './csv.ts'
export {
  type Batch,
  cast,
  concat,
  type Dataset,
  type DatasetOptions,
  labelsOf,
  subset,
  tensorDataset,
} from './dataset.ts'
export { imageDataset, parseIdx } from './idx.ts'
export { checkLabels, type LabelledFiles, readLabelled } from './labelled.ts'
export { readCsvDataset, readIdx, readIdxDataset, readNpy, readNpz } from './node-files.ts'
export { parseNpy, parseNpz } from './npy.ts'
export { type PartSize, splitDataset, stratifiedSplit, stratifiedSubset } from './split.ts'
