import { expect, test } from 'vitest'
import { fitText, textWidth } from './text.ts'

test('wide characters are wider than narrow ones, and size scales', () => {
  expect(textWidth('mmm', 12)).toBeGreaterThan(textWidth('lll', 12))
  expect(textWidth('残差', 12)).toBeGreaterThan(textWidth('ab', 12))
  expect(textWidth('resnet', 24)).toBeCloseTo(2 * textWidth('resnet', 12))
})

test('text that fits is left alone; longer text keeps its beginning and end', () => {
  expect(fitText('resnet-8', 100, 12)).toBe('resnet-8')
  const short = fitText('a-very-long-model-name-that-nobody-chose-v7', 120, 12)
  expect(textWidth(short, 12)).toBeLessThanOrEqual(120)
  expect(short).toMatch(/^a-very.*….*v7$/)
})

test('characters outside of the basic plane are not cut in half', () => {
  expect(fitText('😀'.repeat(20), 60, 12)).not.toMatch(/\p{Cs}/u)
})
