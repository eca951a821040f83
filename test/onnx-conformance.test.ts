import { beforeAll, describe, expect, test } from 'vitest'
import { type CaseReport, examine } from './support/conformance.ts'
import { onnxCases } from './support/onnx-cases.ts'

const cases = onnxCases()
const reason = typeof cases === 'string' ? ` (skipped: ${cases})` : ''

describe.skipIf(typeof cases === 'string')(`ONNX's own conformance cases${reason}`, () => {
  const reports: CaseReport[] = []
  beforeAll(async () => {
    if (typeof cases === 'string') return
    for (const one of cases) reports.push(await examine(one, one.runs === true))
  }, 120_000)
  const count = (is: (report: CaseReport) => boolean) => reports.filter(is).length

  test('are read, inferred, upgraded and written without a contradiction', () => {
    const failed = reports.filter(({ outcome }) => outcome === 'failed')
    expect(failed.map(({ name, why }) => `${name}: ${why}`)).toEqual([])
  })
  test('all compute what they did, where the engine computes what they expect', () => {
    const still = reports.filter((report, i) => !report.ran && typeof cases !== 'string' && cases[i]!.runs)
    expect(still.map(({ name, why }) => `${name}: ${why}`)).toEqual([])
    expect(count(({ ran, upgraded }) => ran && upgraded)).toBeGreaterThan(400)
  })
  test('are evaluated as far as records evaluate them', () => {
    expect(reports.reduce((sum, { evaluated }) => sum + evaluated, 0)).toBeGreaterThan(700)
  })
  test('have fully known shapes where sizes do not depend on data', () => {
    const fixed = count(({ isStatic }) => isStatic)
    const known = count(({ isStatic, openWithConstants }) => isStatic && openWithConstants.length === 0)
    expect(known / fixed).toBeGreaterThan(0.95)
  })
})
