/** Writes schemas/run.schema.json from the zod schema of run.json. Run by `npm run generate:schema`. */
import { fileURLToPath } from 'node:url'
import { writeAtomically } from '../src/base/files.ts'
import { runRecordJsonSchema } from '../src/report/run-record.ts'

const file = fileURLToPath(new URL('../schemas/run.schema.json', import.meta.url))
await writeAtomically(file, `${JSON.stringify(runRecordJsonSchema(), null, 2)}\n`)
