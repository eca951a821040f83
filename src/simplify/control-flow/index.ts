import type { Step } from '../step.ts'

/** Branches that are never taken, and bodies that can stand where their node does. */
export const controlFlow = (): readonly Step[] => []
