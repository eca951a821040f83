/** One library's training step of one network, which takes turns with the others. */
export interface Contender {
  readonly name: string
  /** Takes so many steps; milliseconds of each. */
  run(steps: number): Promise<readonly number[]>
  close(): Promise<void>
}

/** A contender that cannot be had here. */
export interface Missing {
  readonly name: string
  readonly reason: string
}

export function isMissing<T extends object>(one: T | Missing): one is Missing {
  return 'reason' in one
}

/** Networks that every contender builds alike. */
export const nets = ['mlp', 'simple-net-3x3', 'resnet-8'] as const
export type Net = (typeof nets)[number]

/** Rows in a batch. */
export const batch = 128
export const classes = 10

/** Milliseconds since some moment: on the clock, or of this process's CPU time. */
export function now(cpu: boolean): number {
  if (!cpu) return performance.now()
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
