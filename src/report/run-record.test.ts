import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { interruptedRunFixture, planMembers, runFixture } from '../../test/fixtures/run-record.ts'
import { finiteOrNull, type RunRecord, runRecord, runRecordJsonSchema } from './run-record.ts'

const findings = (record: unknown) =>
  runRecord.safeParse(record).error?.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`)

test('complete, interrupted, small and large runs are valid and come back from JSON unchanged', () => {
  const runs = [
    runFixture(),
    interruptedRunFixture(),
    runFixture({ members: planMembers(2), ensembles: [], compact: false }),
    runFixture({ members: planMembers(12), classes: Array.from({ length: 30 }, (_, i) => `class ${i}`) }),
  ]
  for (const run of runs) expect(runRecord.parse(JSON.parse(JSON.stringify(run)))).toEqual(run)
})

test('keys of a newer version are passed over', () => {
  const run = runFixture()
  const newer = { ...run, energy: { joules: 12 }, models: run.models.map(model => ({ ...model, carbon: 1 })) }
  expect(runRecord.parse(newer)).toEqual(run)
})

test('a layout that this reader would misread is refused', () => {
  expect(findings({ ...runFixture(), schema: 2 })).toEqual([expect.stringContaining('schema: ')])
})

test('a number that is not finite is refused with its path, and null stands for an undefined measure', () => {
  const run = runFixture()
  const withAuc = (rocAuc: number | null): RunRecord => ({
    ...run,
    models: run.models.map((model, i) => (i === 2 ? { ...model, test: { ...model.test!, rocAuc } } : model)),
  })
  expect(findings(withAuc(Number.NaN))).toEqual([expect.stringContaining('models.2.test.rocAuc: ')])
  expect(findings(withAuc(finiteOrNull(Number.NaN)))).toBeUndefined()
  expect(finiteOrNull(Number.POSITIVE_INFINITY)).toBeNull()
  expect(finiteOrNull(0.5)).toBe(0.5)
})

test.each(['/etc/passwd', '../secret.onnx', 'models/../../x.onnx', 'C:\\x.onnx', '\\\\host\\x.onnx', 'a\\..\\b', ''])(
  'a file that is not inside of the run folder is refused: "%s"',
  file => {
    const run = runFixture()
    const models = run.models.map((model, i) => (i === 0 ? { ...model, file } : model))
    expect(findings({ ...run, models })).toEqual([expect.stringContaining('models.0.file: ')])
  },
)

test.each(['ensemble.onnx', 'models/resnet-8.onnx', 'models/v1..2/a..b.onnx', '..hidden.onnx'])(
  'a file inside of the run folder is taken: "%s"',
  file => {
    const run = runFixture()
    const models = run.models.map((model, i) => (i === 0 ? { ...model, file } : model))
    expect(findings({ ...run, models })).toBeUndefined()
  },
)

test('names that no model has, and tables that do not fit the classes, are refused', () => {
  const run = runFixture()
  const [evaluation] = run.evaluation
  const [first, ...rest] = evaluation!.confusion
  const broken: [unknown, string][] = [
    [{ ...run, models: [...run.models, run.models[0]] }, 'models.9.name: a second model named "simple-net-3x3"'],
    [{ ...run, choice: { ...run.choice, name: 'gone' } }, 'choice.name: no model is named "gone"'],
    [{ ...run, choice: { ...run.choice, weights: [1] } }, 'choice.weights: expected 3 weights, one per member'],
    [{ ...run, compact: { ...run.compact, from: 'gone' } }, 'compact.from: no model is named "gone"'],
    [
      { ...run, evaluation: [{ ...evaluation, confusion: [first!.slice(1), ...rest] }] },
      'evaluation.0.confusion.0: expected 10 columns',
    ],
    [{ ...run, evaluation: [{ ...evaluation, roc: [] }] }, 'evaluation.0.roc: expected 10 entries, one per class'],
  ]
  for (const [record, finding] of broken) expect(findings(record)).toEqual([finding])
})

test('schemas/run.schema.json is up to date (npm run generate:schema)', async () => {
  const published = await readFile(new URL('../../schemas/run.schema.json', import.meta.url), 'utf8')
  expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(runRecordJsonSchema())))
})

test('every field of the schema is described', () => {
  const silent: string[] = []
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return
    const properties: object = 'properties' in schema ? (schema.properties as object) : {}
    for (const [key, property] of Object.entries(properties)) {
      if (!property.description) silent.push(`${path}.${key}`)
    }
    for (const [key, part] of Object.entries(schema)) visit(part, `${path}.${key}`)
  }
  visit(runRecordJsonSchema(), '$')
  expect(silent).toEqual([])
})
