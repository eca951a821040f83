import type { Settings } from '../settings.ts'
import type { Step } from '../step.ts'
import { dropFailingBranches } from './drop-failing-branches.ts'
import { hoist } from './hoist.ts'
import { inlineBranches } from './inline-branches.ts'
import { unrollLoops } from './unroll-loops.ts'

/** Branches that are never taken, and bodies that can stand where their node does. */
export const controlFlow = (settings: Settings): readonly Step[] => [
  inlineBranches,
  dropFailingBranches,
  hoist,
  unrollLoops(settings),
]
