import type { Node } from '../graph/graph.ts'
import { operatorOf } from './index.ts'
import { keyOf, type OpName } from './spec.ts'

/*
 * Kinds of operators, by name: what several rules must know of the standard's operators and no column of the table says.
 * None depends on a node's attributes or types; where one does, its reader asks for that.
 */

function kind(...names: readonly OpName[]): ReadonlySet<string> {
  return new Set(names)
}

/** Each element is computed from the same one of the first input. What else is read are numbers such as bounds and scales. */
export const pointwise = kind(
  ...([
    'Abs',
    'Acos',
    'Acosh',
    'Asin',
    'Asinh',
    'Atan',
    'Atanh',
    'BitwiseNot',
    'Cast',
    'Ceil',
    'Celu',
    'Clip',
  ] as const),
  ...(['Cos', 'Cosh', 'DequantizeLinear', 'Elu', 'Erf', 'Exp', 'Floor', 'Gelu', 'HardSigmoid', 'HardSwish'] as const),
  ...(['IsInf', 'IsNaN', 'LeakyRelu', 'Log', 'Mish', 'Neg', 'Not', 'QuantizeLinear', 'Reciprocal', 'Relu'] as const),
  ...(['Round', 'Selu', 'Shrink', 'Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softplus', 'Softsign', 'Sqrt', 'Tan'] as const),
  ...(['Tanh', 'ThresholdedRelu'] as const),
)

/** Two operands, or several, are broadcast against each other; of PRelu the second against the first alone. */
export const broadcasting = kind(
  ...(['Add', 'And', 'BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'Div', 'Equal', 'Greater'] as const),
  ...(['GreaterOrEqual', 'Less', 'LessOrEqual', 'Max', 'Mean', 'Min', 'Mod', 'Mul', 'Or', 'PRelu', 'Pow'] as const),
  ...(['Sub', 'Sum', 'Where', 'Xor'] as const),
)

/** Some axes become one number each: of size 1, or gone with `keepdims` 0. */
export const reducing = kind(
  ...(['ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin'] as const),
  ...(['ReduceProd', 'ReduceSum', 'ReduceSumSquare'] as const),
)

/** Those of `reducing` that give a number back as it is where an axis has no other. */
export const reducingOneToItself = kind('ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd', 'ReduceSum')

/** No result is negative (of a number, that is: what is not one stays none). */
export const neverNegative = kind('Abs', 'Exp', 'HardSigmoid', 'Relu', 'Sigmoid', 'Softmax', 'Softplus')

/** Results are whole numbers. */
export const rounding = kind('Ceil', 'Floor', 'Round', 'Sign')

/** Whole numbers may be such that there is no result, and the engine refuses, or ends over them: division by zero. */
export const faulting = kind('BitShift', 'Div', 'Mod', 'Pow')

/** Whether outputs hold elements of the node's first input and no others: moved, repeated or left out. */
export function movesFirst(node: Pick<Node, 'op' | 'domain'>): boolean {
  const moves = operatorOf(node)?.moves
  return keyOf(node) === 'Identity' || (Array.isArray(moves) && moves.length === 1 && moves[0] === 0)
}
