import type { Step } from '../step.ts'
import { composeLayouts } from './compose-layouts.ts'
import { composeSegments, gatherAll, gatherSegment } from './compose-segments.ts'
import { concatBeforeReshape } from './concat-before-reshape.ts'
import { concatAfterLayout, joinLayouts } from './join-layouts.ts'
import { keepOrDropReducedAxes } from './keep-or-drop-reduced-axes.ts'
import { liftLayouts } from './lift-layouts.ts'
import {
  mergeCasts,
  mergeExpands,
  mergePads,
  mergeReshapes,
  mergeSlices,
  mergeTiles,
  trimSlices,
} from './merge-twins.ts'
import { sinkLayouts } from './sink-layouts.ts'
import { slicesToSplit, splitToSlice } from './slices-to-split.ts'

/** Rows of nodes that move data without computing: one in the place of several. */
export const chains = (): readonly Step[] => [
  composeLayouts,
  sinkLayouts,
  liftLayouts,
  joinLayouts,
  concatBeforeReshape,
  concatAfterLayout,
  keepOrDropReducedAxes,
  trimSlices,
  composeSegments,
  gatherSegment,
  gatherAll,
  mergeSlices,
  slicesToSplit,
  splitToSlice,
  mergeReshapes,
  mergeCasts,
  mergePads,
  mergeExpands,
  mergeTiles,
]
