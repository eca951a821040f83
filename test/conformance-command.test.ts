import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { create, toBinary } from '@bufbuild/protobuf'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encode } from '../src/onnx/encode.ts'
import { TensorProto_DataType as DataType, TensorProtoSchema } from '../src/onnx/generated/onnx_pb.ts'
import { f32, makeGraph } from './support/make-graph.ts'

const folder = mkdtempSync(join(tmpdir(), 'conformance-'))

/** A case y = relu(x), which expects `y`. */
function writeCase(name: string, y: readonly number[]): void {
  const data = join(folder, name, 'test_data_set_0')
  mkdirSync(data, { recursive: true })
  const graph = makeGraph({ x: f32('N') }, (op, { x }) => ({ y: op.Relu([x!]) }))
  writeFileSync(join(folder, name, 'model.onnx'), encode(graph))
  const tensor = (values: readonly number[]) =>
    toBinary(
      TensorProtoSchema,
      create(TensorProtoSchema, { dataType: DataType.FLOAT, dims: [BigInt(values.length)], floatData: [...values] }),
    )
  writeFileSync(join(data, 'input_0.pb'), tensor([-1, 2]))
  writeFileSync(join(data, 'output_0.pb'), tensor(y))
}

async function conformance(): Promise<{ readonly code: number; readonly report: Record<string, unknown> }> {
  const args = ['node_modules/jiti/lib/jiti-cli.mjs', 'tools/conformance.ts', folder, '--json']
  const { stdout, code } = await promisify(execFile)(process.execPath, args).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  )
  return { code, report: JSON.parse(stdout) }
}

beforeAll(() => writeCase('relu', [0, 2]))
afterAll(() => rmSync(folder, { recursive: true }))

test('a folder without a list of what passes is run first as it is', async () => {
  const { code, report } = await conformance()
  expect(code).toBe(0)
  expect(report).toMatchObject({ engineKnownFrom: 'running each model', cases: 1, engine: 1, ran: 1, passed: 1 })
  expect(report.operators).toEqual([{ operator: 'Relu', cases: 1, ran: 1, passed: 1, refused: 0, failed: 0 }])
})
test('a case that fails makes the command fail', async () => {
  // What a list says to pass must go on passing.
  writeCase('wrong', [1, 2])
  writeFileSync(join(folder, 'ort-x-pass.txt'), 'relu\nwrong\n')
  const { code, report } = await conformance()
  expect(code).toBe(1)
  expect(report).toMatchObject({ engineKnownFrom: 'the list beside the cases', passed: 1, failed: 1 })
  expect(report.reports).toContainEqual(expect.objectContaining({ name: 'wrong', why: expect.stringContaining("'y'") }))
})
