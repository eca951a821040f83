export { attribute } from './attributes.ts'
export { check, type Problem, type ProblemCode } from './check.ts'
export { type Draft, dropUnused, edit, type NewNode, node } from './edit.ts'
export {
  type Attribute,
  type AttributeValue,
  type Body,
  bodiesOf,
  capturesOf,
  describe,
  dialect,
  type Extra,
  emptyGraph,
  type Graph,
  type Node,
  readsOf,
  requiredInputs,
  type SparseTensor,
  type Value,
} from './graph.ts'
export { merge, prefix } from './merge.ts'
export { print, printNode } from './print.ts'
export { renameValues } from './rename.ts'
export { reachable, sortNodes, type View, view } from './view.ts'
