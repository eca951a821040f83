import type { Step } from '../step.ts'
import { dropIdentity } from './drop-identity.ts'

/** Nodes that give back what they are given. */
export const noOps = (): readonly Step[] => [dropIdentity]
