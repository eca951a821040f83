import { expect, test } from 'vitest'
import { throwIfInterrupted } from './interrupt.ts'

test('an aborted signal stops with one error, its reason as the cause', () => {
  const stop = new AbortController()
  throwIfInterrupted(undefined, 'Stopped.')
  throwIfInterrupted(stop.signal, 'Stopped.')
  stop.abort('by hand')
  expect(() => throwIfInterrupted(stop.signal, 'Stopped at 3.', { at: 3 })).toThrow(
    expect.objectContaining({ code: 'interrupted', message: 'Stopped at 3.', details: { at: 3 }, cause: 'by hand' }),
  )
})
