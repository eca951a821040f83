import type { Settings } from '../settings.ts'
import type { Step } from '../step.ts'
import { constantExpand, constantReshape, constantResize } from './constant-targets.ts'
import { dropExpand } from './drop-expand.ts'
import { pickDimensionUpstream, readOneDimension, readShapesUpstream } from './read-upstream.ts'
import { rebuildShapes } from './rebuild-shapes.ts'

/** Arithmetic on shapes: constants where dimensions are known, fewer nodes where they are symbols. */
export const shapes = (settings: Pick<Settings, 'opset'>): readonly Step[] => [
  constantReshape(settings),
  constantExpand,
  constantResize,
  rebuildShapes(settings),
  readShapesUpstream(settings),
  readOneDimension(settings),
  pickDimensionUpstream,
  dropExpand,
]
