import { expect, test } from 'vitest'
import {
  compact,
  duration,
  fileSize,
  listed,
  measured,
  percent,
  points,
  pValue,
  shareOf,
  times,
  whole,
} from './format.ts'

test.each([
  [0, '0'],
  [7, '7'],
  [999, '999'],
  [999.7, '1000'],
  [1_000, '1k'],
  [77_754, '77.8k'],
  [999_499, '999k'],
  [999_600, '1.00M'],
  [9_477_760, '9.48M'],
  [1.8e12, '1.80T'],
  [null, '–'],
])('%d is counted as %s', (value, text) => {
  expect(compact(value)).toBe(text)
})

test('shares, differences and ratios', () => {
  expect(percent(0.99523)).toBe('99.52')
  expect(points(0.00123)).toBe('+0.12')
  expect(points(-0.00123)).toBe('−0.12')
  expect(points(0.00001)).toBe('±0.00')
  expect(shareOf(41, 100)).toBe('41 %')
  expect(shareOf(null, 100)).toBe('–')
  expect(shareOf(1, 0)).toBe('–')
  expect(times(2.44)).toBe('2.4×')
  expect(times(24.4)).toBe('24×')
})

test('sizes, times and counts', () => {
  expect(fileSize(317_100)).toBe('317 KB')
  expect(fileSize(3.2e6)).toBe('3.20 MB')
  expect(measured(0.0834)).toBe('0.083')
  expect(measured(118.4)).toBe('118')
  expect(duration(336)).toBe('5 min 36 s')
  expect(duration(3)).toBe('3 s')
  expect(duration(7_320)).toBe('2 h 2 min')
  expect(whole(1_234_567)).toBe('1,234,567')
})

test('p-values and lists', () => {
  expect(pValue(0.1078)).toBe('p = 0.11')
  expect(pValue(0.0031)).toBe('p = 0.0031')
  expect(pValue(1e-9)).toBe('p < 0.0001')
  expect(listed(['a'])).toBe('a')
  expect(listed(['a', 'b', 'c'])).toBe('a, b and c')
})
