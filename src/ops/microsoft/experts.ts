import { unary } from './fused.ts'

// Mixtures of experts: each row goes through those few that a router picks.

// Which experts, and how wide their packed weights are, the types do not tell.
const unknown = { cost: () => ({ macs: Number.NaN }) }

export const moE = unary('com.microsoft.MoE', unknown)
export const qMoE = unary('com.microsoft.QMoE', unknown)
export const moEPacked = unary('com.microsoft.MoEPacked', unknown)
