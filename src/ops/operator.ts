import type { Dim, Shape, TensorType, ValueType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import type { Body, Node } from '../graph/graph.ts'
import type { Ops, Ref } from './build.ts'
import type { AttributesOf, OpName } from './spec.ts'

/** The answer of a column that an operator has none for: why. */
export interface No {
  readonly no: string
}

export function no(why: string): No {
  return { no: why }
}

export function isNo(answer: unknown): answer is No {
  return typeof answer === 'object' && answer !== null && 'no' in answer
}

/**
 * A tensor's type, with its contents where they are few numbers that are known, symbols included: in row-major order, as
 * many as a fixed shape has elements.
 */
export interface InferredType extends TensorType {
  readonly value?: readonly Dim[]
}

/** What a rule is told about one node. */
export interface Call<K extends OpName = OpName> {
  readonly node: Node
  readonly opset: number
  readonly attributes: AttributesOf[K]
  /**
   * Types of the inputs, in order; undefined where an optional one is left out. Every input that is there is a tensor of
   * known element type, except for operators whose record says `accepts: 'any'`.
   */
  readonly inputs: readonly (InferredType | undefined)[]
  /** Types of the inputs as they are, sequences and optionals too. */
  readonly inputTypes: readonly (ValueType | undefined)[]
  /** The contents of an input that is a constant. */
  constant(input: number): Tensor | undefined
  /** Output types of a body, given the types of its inputs. */
  inferBody(body: Body, inputs: readonly (ValueType | undefined)[]): readonly (ValueType | undefined)[]
}

/** A call after inference: the outputs' types are known too. */
export interface TypedCall<K extends OpName = OpName> extends Call<K> {
  readonly outputs: readonly (InferredType | undefined)[]
}

/** What a gradient rule is given. Shapes are fixed (a step is compiled for one batch size), so rules read them freely. */
export interface Backward<K extends OpName = OpName> {
  readonly node: Node
  readonly attributes: AttributesOf[K]
  /** Emits nodes; `op.shape(ref)` and `op.type(ref)` tell what is known of a value. */
  readonly op: Ops
  /** The node's inputs ('' where left out) and outputs. */
  readonly x: readonly Ref[]
  readonly y: readonly Ref[]
  /** Gradients of the loss with respect to the outputs; undefined where nothing flows back. */
  readonly dy: readonly (Ref | undefined)[]
  /** Which inputs' gradients are wanted; the others may be null. */
  readonly needs: readonly boolean[]
  /** The contents of an input that is a constant. */
  constant(input: number): Tensor | undefined
  /**
   * Picks one of several equivalent formulations. The first is the default; timing may prefer another for these shapes.
   * `label` names what is computed (`dW`), and with the node's attributes and shapes identifies the choice.
   */
  choose(label: string, forms: Readonly<Record<string, () => Ref>>): Ref
}

/** The gradient of each input, in order; null where it is zero or not wanted. Broadcasting is undone by the caller. */
export type GradientRule<K extends OpName> = (call: Backward<K>) => readonly (Ref | null)[]

/** One dimension of one input or output. */
export type Port = readonly [side: 'in' | 'out', index: number, axis: number]

/**
 * How indices along one port's axis correspond to indices along another's.
 * - `same`: i <-> i
 * - `offset`: i <-> i + offset where both exist, as in Concat and Pad, and with a negative offset in Split and Slice
 * - `repeat`: i <-> i*repeat ... i*repeat + repeat-1, as where Flatten folds H*W positions into each channel
 * - `tile`: i <-> i, i + size, i + 2*size, ... (`tile` times), as where channels are the fastest axis of a fold
 * - `groups`: the weights' input axis of a grouped convolution: i <-> i mod (size / groups)
 * - `index`: i <-> to where index[to] = i, as in Gather and shuffles
 */
export type IndexMap =
  | 'same'
  | { readonly offset: number }
  | { readonly repeat: number }
  | { readonly tile: number }
  | { readonly groups: number }
  | { readonly index: readonly number[] }

/**
 * Channels of `from` and of `to` leave together, as `map` relates them: removing them gives what setting them to zero
 * gives, in every parameter that makes or reads them.
 *
 * A node's links say all there is to say of it. An axis that no link touches stays as it is (a kernel's height, a
 * softmax's axis), and so does an index of an output that no link reaches (Pad's border); an index of an input that no
 * link reaches is not read by the node and leaves freely (what Slice cuts off). A port linked to itself is free of the
 * others: `same` where indices may leave and nothing else changes (all the axes of Shape's input), `groups` where those
 * equal modulo size / groups leave together (the outputs of a grouped convolution, each group losing as many).
 * Where an axis could follow in several ways (a Reshape that splits it in two), link the one that keeps most channels
 * independent; a link to each would tie them all.
 */
export interface Link {
  readonly from: Port
  readonly to: Port
  readonly map: IndexMap
}

/** A node some of whose channels leave, with the types that it had. */
export interface Pruning<K extends OpName = OpName> extends TypedCall<K> {
  /** Shapes once the channels have left. */
  readonly after: {
    readonly inputs: readonly (Shape | undefined)[]
    readonly outputs: readonly (Shape | undefined)[]
  }
  /** The indices that stay along an axis, ascending; undefined where all do. */
  kept(...port: Port): readonly number[] | undefined
}

/** What else changes in a node whose channels leave. */
export interface Pruned<K extends OpName = OpName> {
  /** Attributes with new values; `undefined` takes one away. */
  readonly attributes?: { readonly [A in keyof AttributesOf[K]]?: AttributesOf[K][A] | undefined }
  /** Constants in inputs' places: a Reshape's target, a Split's sizes, a Gather's indices. */
  readonly inputs?: Readonly<Record<number, Tensor>>
}

export interface Cost {
  /** Multiply-accumulates, as the field counts them: a convolution's or a matrix product's; 0 for everything elementwise. */
  readonly macs: number
  /** How often the node runs its bodies, where that is known; once unless told. */
  readonly iterations?: number
}

/** What happens to a node when its graph is made ready for training. */
export interface Training<K extends OpName = OpName> {
  readonly node: Node
  readonly attributes: AttributesOf[K]
  readonly op: Ops
  readonly x: readonly Ref[]
  constant(input: number): Tensor | undefined
  /** The name of a fresh seed that differs for each node, for operators that draw random numbers. */
  readonly seed: number
}

export interface TrainingForm {
  /** What stands in the outputs' place. */
  readonly outputs: readonly Ref[]
  /** Parameters that training changes without a gradient (running statistics): input number -> new value. */
  readonly updates?: readonly { readonly input: number; readonly value: Ref }[]
}

/** A node of a step about to run, shapes fixed. */
export interface Expansion<K extends OpName = OpName> {
  readonly node: Node
  readonly attributes: AttributesOf[K]
  readonly op: Ops
  readonly x: readonly Ref[]
}

/** Rewrites a node of an older opset to the form of version `to`. Returns the nodes in its place. */
export interface Upgrade<K extends OpName = OpName> {
  readonly to: number
  apply(call: Call<K>, op: Ops, x: readonly Ref[]): readonly Ref[]
}

/** Everything that Sinter knows about one operator. Each column is answered, or refused with a reason. */
export interface Operator<K extends OpName = OpName> {
  readonly type: K
  /** Types of the outputs. */
  readonly infer: (call: Call<K>) => readonly (InferredType | ValueType | undefined)[]
  readonly gradient: GradientRule<K> | No
  /** Which channels leave together; read what a `Link` promises. */
  readonly coupling: ((call: TypedCall<K>) => readonly Link[]) | No
  /**
   * What must change in the node when channels leave along its links: `same` where the tensors' new shapes say it all,
   * else the attributes and constants that count channels or positions.
   */
  readonly prune: 'same' | ((call: Pruning<K>) => Pruned<K>)
  readonly cost: (call: TypedCall<K>) => Cost
  /** Computes the outputs of small constant inputs. */
  readonly evaluate: ((call: Call<K>, inputs: readonly (Tensor | undefined)[]) => readonly Tensor[]) | No
  /**
   * Inputs that `evaluate` only takes apart and puts together, without a look at their elements: it does so with symbols
   * too, which are handed to it as strings.
   */
  readonly moves: 'all' | readonly number[]
  /** The form that a training step runs; `same` for operators that train as they infer. */
  readonly training: 'same' | ((call: Training<K>) => TrainingForm)
  /**
   * What stands for the node's outputs in a step that runs: for operators that engines do not know, and for those that
   * are faster in another form than as they are written. undefined leaves the node as it is.
   */
  readonly expand: 'same' | ((call: Expansion<K>) => readonly Ref[] | undefined)
  /** Steps from older opsets, oldest first. */
  readonly upgrades: readonly Upgrade<K>[]
  /** Attributes that make no difference for the inputs at hand: older forms without them say the same. */
  readonly moot: (call: Call<K>) => readonly string[]
  /** Set by operators that take sequences, optionals or values of unknown type. */
  readonly accepts: 'tensors' | 'any'
  /** Set by operators of two operands whose order does not matter. */
  readonly commutative: boolean
  /**
   * Whether values that are not known here could end an engine's process: what `infer` refuses once they are known, and
   * the engine does not look at.
   */
  readonly hazard: (call: Call<K>) => boolean
}

type Defaulted =
  | 'type'
  | 'prune'
  | 'moves'
  | 'training'
  | 'expand'
  | 'upgrades'
  | 'moot'
  | 'accepts'
  | 'commutative'
  | 'hazard'
type Row<K extends OpName> = Omit<Operator<K>, Defaulted> & Partial<Pick<Operator<K>, Exclude<Defaulted, 'type'>>>

/** One row of the table. The columns in `Defaulted` have defaults, every other one owes an answer. */
export function operator<K extends OpName>(type: K, row: Row<K>): Operator<K> {
  return {
    prune: 'same',
    moves: [],
    training: 'same',
    expand: 'same',
    upgrades: [],
    moot: () => [],
    accepts: 'tensors',
    commutative: false,
    hazard: () => false,
    ...row,
    type,
  }
}

/** Cost of what multiplies and accumulates nothing. */
export const free = (): Cost => ({ macs: 0 })
