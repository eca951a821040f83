export { renderReport } from './html.ts'
export { parseRunRecord, readRunRecord, runFileName, writeRunRecord } from './run-file.ts'
export { type RunModel, type RunRecord, runRecord, runRecordJsonSchema } from './run-record.ts'
export { renderTable, type TableOptions, terminalOptions } from './table.ts'
