import { describe, expect, test } from 'vitest'
import { sinter } from './testing/run.ts'

describe('sinter ops', () => {
  test('lists the operators of the standard with what can be done with each', async () => {
    const { columns, operators } = (await sinter('ops', '--json')).json()
    expect(columns).toContain('gradient')
    const conv = operators.find(({ operator }: { operator: string }) => operator === 'Conv')
    expect(conv).toMatchObject({ columns: { gradient: { yes: true }, coupling: { yes: true } } })
    for (const { columns: answers } of operators) {
      for (const column of columns) expect(answers[column].yes || answers[column].why.length > 0).toBe(true)
    }
  })

  test('takes a part of a name, whatever the case', async () => {
    const { operators } = (await sinter('ops', 'ARGM', '--json')).json()
    expect(operators.map(({ operator }: { operator: string }) => operator)).toEqual(['ArgMax', 'ArgMin'])
  })

  test('looks for it in names of operators, not of domains, unless it has a dot', async () => {
    const found = async (filter: string) =>
      (await sinter('ops', filter, '--json')).json().operators.map(({ operator }: { operator: string }) => operator)
    expect(await found('soft')).not.toContain('com.microsoft.FusedConv')
    expect(await found('soft')).toContain('Softmax')
    expect(await found('com.microsoft.')).toContain('com.microsoft.FusedConv')
  })

  test('takes a form that has not changed for no refusal', async () => {
    const { operators } = (await sinter('ops', 'Gather', '--json')).json()
    const [gather] = operators.filter(({ operator }: { operator: string }) => operator === 'Gather')
    expect(gather.columns.upgrades).toEqual({ yes: true, note: 'its form has not changed' })
    const { out } = await sinter('ops', 'gather', '--reasons')
    expect(out).toMatch(/^Gather .*same$/m)
    expect(out).not.toContain('upgrades:')
    expect(out.split('\n').filter(line => line.length > 80)).toEqual([])
  })

  test('says why not, if asked', async () => {
    const plain = await sinter('ops', 'argmax')
    const reasons = await sinter('ops', 'argmax', '--reasons')
    expect(plain.out).not.toContain('gradient:')
    expect(reasons.out).toMatch(/\n {4}gradient: \w/)
  })

  test('refuses a name that no operator has', async () => {
    expect((await sinter('ops', 'zzz', '--json')).json().error.code).toBe('not-found')
  })
})
