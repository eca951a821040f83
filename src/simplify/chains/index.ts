import type { Step } from '../step.ts'
import { composeLayouts } from './compose-layouts.ts'
import { composeSegments, gatherSegment } from './compose-segments.ts'
import { sinkLayouts } from './sink-layouts.ts'

/** Rows of nodes that move data without computing: one in the place of several. */
export const chains = (): readonly Step[] => [composeLayouts, composeSegments, gatherSegment, sinkLayouts]
