import type { Dim, Shape } from '../base/shape.ts'
import { numbers } from '../base/tensor.ts'
import type { Call, InferredType } from './operator.ts'

/** An axis that may be counted from the end (-1 is the last), counted from the front. It may be one that there is not. */
export function countedAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}

/** A possibly negative axis counted from the front. @throws Error if the rank has no such axis. */
export function axisOf(axis: number, rank: number): number {
  const counted = countedAxis(axis, rank)
  if (!Number.isInteger(axis) || counted < 0 || counted >= rank) {
    throw new Error(`axis ${axis} is outside of rank ${rank}`)
  }
  return counted
}

/** Possibly negative axes counted from the front, ascending. @throws Error if one is outside, or stands twice. */
export function axesOf(axes: readonly number[], rank: number): readonly number[] {
  const counted = axes.map(axis => axisOf(axis, rank)).sort((a, b) => a - b)
  if (new Set(counted).size < counted.length) throw new Error(`the axes [${axes}] name one twice`)
  return counted
}

/** What is known of the whole numbers in an input: its contents as a constant, or as inference followed them. */
export function contentsOf(call: Pick<Call, 'constant' | 'inputs'>, input: number): readonly Dim[] | undefined {
  const constant = call.constant(input)
  return constant ? Array.from(numbers(constant)) : call.inputs[input]?.value
}

/** The numbers in an input, if all of them are known. */
export function numbersIn(call: Pick<Call, 'constant' | 'inputs'>, input: number): readonly number[] | undefined {
  const contents = contentsOf(call, input)
  return contents?.every(dim => typeof dim === 'number') ? (contents as readonly number[]) : undefined
}

/** What is needed to read an input's contents: a call, or a gradient's with the types of its inputs. */
export type Readable = Pick<Call, 'node' | 'inputs' | 'constant'> & { readonly attributes: object }

/** Numbers that an operator takes as an input, and took as an attribute in older opsets. */
export function numbersFrom(call: Readable, input: number, attribute: string): readonly number[] | undefined {
  const old = (call.attributes as Readonly<Record<string, unknown>>)[attribute]
  return call.node.inputs[input] ? numbersIn(call, input) : (old as readonly number[] | undefined)
}

/** Whether an operator that takes its axes as an input, or in older opsets as an attribute, is given any. */
export function given(call: Readable, input: number, attribute: string): boolean {
  return (
    Boolean(call.node.inputs[input]) || (call.attributes as Readonly<Record<string, unknown>>)[attribute] !== undefined
  )
}

/** A shape of which only the rank is known. */
export function unknownShape(rank: number): Shape {
  return new Array<Dim>(rank).fill('')
}

/** Number of elements in a 1-D input, where it is fixed. */
export function lengthOf(type: InferredType | undefined): number | undefined {
  const length = type?.shape?.[0]
  return typeof length === 'number' ? length : undefined
}

/** The one size that all dimensions must be, a number rather than a symbol. @throws Error if they cannot be equal. */
export function agreed(dims: readonly Dim[]): Dim {
  const sizes = new Set(dims.filter(dim => typeof dim === 'number'))
  if (sizes.size > 1) throw new Error(`sizes ${[...sizes].join(' and ')} where they must be equal`)
  const [size] = sizes
  return size ?? dims.find(dim => dim !== '') ?? ''
}
