/** 1, 2 and 5 times powers of ten within the range, rising. */
export function decadeTicks(low: number, high: number): number[] {
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of [1, 2, 5]) {
      const tick = Number((factor * 10 ** power).toPrecision(1))
      if (tick >= low && tick <= high) ticks.push(tick)
    }
  }
  return ticks
}

/** About `count` round values within the range, rising, at equal distances. */
export function evenTicks(low: number, high: number, count: number): number[] {
  const raw = (high - low) / count
  if (!(raw > 0)) return [low]
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= raw * 0.999)!
  const ticks: number[] = []
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-9); i++)
    ticks.push(Number((i * step).toPrecision(6)))
  return ticks
}

/** Ticks for a logarithmic scale: round decades where the range spans enough of them, else even steps. */
export function logTicks(low: number, high: number): number[] {
  const decades = decadeTicks(low, high)
  return decades.length >= 3 ? decades : evenTicks(low, high, 6)
}

/** A range of positive values with some room on a logarithmic scale, and never narrower than a factor of 2. */
export function logRange(values: readonly number[]): [low: number, high: number] {
  const low = Math.min(...values)
  const high = Math.max(...values)
  const room = Math.max(1.12, Math.sqrt((2 * low) / high))
  return [low / room, high * room]
}

/**
 * A logarithmic scale as a linear one of logarithms: channels give `Math.log10(value)`. Plot's own logarithmic scale
 * blanks the labels of some of the ticks that it is given.
 */
export function logScale(low: number, high: number, ticks: readonly number[], format: (value: number) => string) {
  return {
    domain: [Math.log10(low), Math.log10(high)] as [number, number],
    ticks: ticks.map(Math.log10),
    tickFormat: (logarithm: number) => format(Number((10 ** logarithm).toPrecision(9))),
  }
}
