import { broadcastType, elementwiseLinks } from './broadcast.ts'
import { free, no, operator } from './operator.ts'

export const add = operator('Add', {
  infer: ({ inputs: [a, b] }) => [broadcastType([a, b])],
  gradient: ({ dy: [dy] }) => [dy!, dy!],
  coupling: elementwiseLinks,
  cost: free,
  evaluate: no('being written'),
})
