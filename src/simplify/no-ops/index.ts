import type { Step } from '../step.ts'
import { dropIdentity } from './drop-identity.ts'
import { dropNeutral } from './drop-neutral.ts'
import { dropNoOps } from './drop-no-ops.ts'
import { dropEqualOperands, dropRepeated, dropUndone } from './drop-repeated.ts'
import { dropZeroStates } from './drop-zero-states.ts'

/** Nodes that give back what they are given. */
export const noOps = (): readonly Step[] => [
  dropIdentity,
  dropNoOps,
  dropNeutral,
  dropRepeated,
  dropUndone,
  dropEqualOperands,
  dropZeroStates,
]
