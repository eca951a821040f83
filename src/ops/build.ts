import type { DType } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import {
  elementCount,
  formatShape,
  formatType,
  isFixed,
  isTensorType,
  type TensorType,
  type ValueType,
} from '../base/shape.ts'
import { full, int64s, type Tensor } from '../base/tensor.ts'
import type { NewNode } from '../graph/edit.ts'
import { inferNode, type Scope } from './call.ts'
import { typeOfConstant } from './contents.ts'
import { type AttributesOf, type OpName, toAttributes } from './spec.ts'

/** The name of a value. */
export type Ref = string

type Inputs = readonly (Ref | null | undefined)[]

/** One function for each operator: `op.Conv([x, w, b], { pads: [1, 1, 1, 1] })` adds the node and returns its output. */
type Emit = { readonly [K in OpName]: (inputs: Inputs, attributes?: Partial<AttributesOf[K]>) => Ref }

/** Builds nodes, one call each, and knows every value's type as it goes. */
export interface Ops extends Emit {
  /** A node with several outputs. */
  many<K extends OpName>(
    type: K,
    outputs: number,
    inputs: Inputs,
    attributes?: Partial<AttributesOf[K]>,
  ): readonly Ref[]
  /** An initializer. Equal small constants are shared. */
  constant(value: Tensor, hint?: string): Ref
  /** A rank-0 constant. */
  scalar(value: number, dtype?: DType): Ref
  /** A 1-D int64 constant: axes, shapes, pads. @throws SinterError `not-supported` for numbers that are no integers. */
  ints(values: readonly number[]): Ref
  /** What is known of a value's type. */
  known(ref: Ref): ValueType | undefined
  /** @throws SinterError `not-supported` if the value's type is not known. */
  type(ref: Ref): TensorType
  /** The value's shape. @throws SinterError `not-supported` if a dimension is not fixed. */
  shape(ref: Ref): readonly number[]
  /** A fresh name like the hint. */
  fresh(hint: string): Ref
  /** The same builder whose new values' names begin with a prefix. */
  within(prefix: string): Ops
}

/** Where a builder puts what it makes. */
export interface BuildTarget {
  add(node: NewNode): void
  constant(hint: string, value: Tensor): string
  fresh(hint: string): string
}

/**
 * A builder on top of a target (a graph's draft). `scope` tells what is known of the values that stand there already;
 * what the builder adds, it knows itself.
 */
export function builder(target: BuildTarget, scope: Scope): Ops {
  const types = new Map<string, ValueType>()
  const constants = new Map<string, Tensor>()
  const shared = new Map<string, Ref>()
  const inner: Scope = {
    ...scope,
    type: name => types.get(name) ?? scope.type(name),
    constant: name => constants.get(name) ?? scope.constant(name),
  }

  function make(prefix: string): Ops {
    const many = (type: OpName, count: number, inputs: Inputs, attributes: Readonly<Record<string, unknown>> = {}) => {
      const at = type.lastIndexOf('.')
      const [domain, op] = at < 0 ? ['', type as string] : [type.slice(0, at), type.slice(at + 1)]
      const hint = prefix + op.toLowerCase()
      const outputs = Array.from({ length: count }, () => target.fresh(hint))
      const names = inputs.map(name => name ?? '')
      while (names.at(-1) === '') names.pop()
      const node = { op, domain, name: outputs[0]!, inputs: names, outputs, attributes: toAttributes(type, attributes) }
      const found = inferNode(node, inner)
      target.add(node)
      outputs.forEach((name, i) => {
        const known = found[i]
        if (known) types.set(name, known)
      })
      return outputs
    }
    const constant = (value: Tensor, hint = 'constant') => {
      const small = elementCount(value.shape) <= 16 && value.dtype !== 'string'
      const key = small ? `${value.dtype}${value.shape}:${value.data}` : undefined
      const known = key === undefined ? undefined : shared.get(key)
      if (known !== undefined) return known
      const name = target.constant(small ? hint : prefix + hint, value)
      constants.set(name, value)
      types.set(name, typeOfConstant(value))
      if (key !== undefined) shared.set(key, name)
      return name
    }
    const type = (ref: Ref): TensorType => {
      const known = inner.type(ref)
      if (isTensorType(known)) return known
      throw new SinterError(
        'not-supported',
        `The type of the value '${ref}' is ${known ? formatType(known) : 'not known'}; a tensor is needed.`,
        { value: ref },
      )
    }
    const tools = {
      many,
      constant,
      scalar: (value: number, dtype: DType = 'float32') => constant(full(dtype, [], value), 'scalar'),
      ints(values: readonly number[]) {
        if (values.every(Number.isInteger)) return constant(int64s(values), 'ints')
        throw new SinterError('not-supported', `The list ${values.join(', ')} would hold something else than integers.`)
      },
      known: inner.type,
      type,
      shape(ref: Ref) {
        const { shape } = type(ref)
        if (isFixed(shape)) return shape
        throw new SinterError(
          'not-supported',
          `The shape ${formatShape(shape)} of '${ref}' must be fixed here: set its symbolic dimensions first.`,
          { value: ref },
        )
      },
      fresh: (hint: string) => target.fresh(prefix + hint),
      within: (more: string) => make(prefix + more),
    }
    return new Proxy(tools as unknown as Ops, {
      get(known, name) {
        if (typeof name !== 'string' || name in known) return Reflect.get(known, name)
        return (inputs: Inputs, attributes?: Readonly<Record<string, unknown>>) =>
          many(name as OpName, 1, inputs, attributes)[0]!
      },
    })
  }
  return make('')
}
