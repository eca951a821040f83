import type { Settings } from '../settings.ts'
import type { Step } from '../step.ts'

/** Operators that exporters have written out, recognized and said as one again. */
export const recognize = (_settings: Settings): readonly Step[] => []
