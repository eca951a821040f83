import type { Step } from '../step.ts'
import { inlineBranches } from './inline-branches.ts'

/** Branches that are never taken, and bodies that can stand where their node does. */
export const controlFlow = (): readonly Step[] => [inlineBranches]
