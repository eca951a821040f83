import { SinterError } from '../base/errors.ts'
import { isTensorType, sameDim, type TensorType, type ValueType } from '../base/shape.ts'
import { numbers } from '../base/tensor.ts'
import type { Body } from '../graph/graph.ts'
import { demandSingle } from './demand.ts'
import { free, type InferredType, no, operator } from './operator.ts'

export type Types = readonly (ValueType | undefined)[]

export const inBodies = no('what is inside of its bodies would have to be followed')
export const notFolded = no('bodies are not run')

export const conditional = operator('If', {
  infer({ node, attributes: { then_branch, else_branch }, inputs: [condition], inferBody, constant }) {
    demandSingle('condition', condition)
    for (const body of [then_branch, else_branch]) demandBody(body, 0, node.outputs.length)
    const branches = possible([then_branch, else_branch], body => inferBody(body, []))
    const known = constant(0)
    const [taken] = known ? numbersOf(known) : ((condition?.value ?? []) as readonly unknown[])
    if (typeof taken === 'number' && branches.length === 2) return branches[taken ? 0 : 1]!
    const [first, second = first] = branches
    return node.outputs.map((_, i) => common(first![i], second![i]))
  },
  gradient: no('it would need both branches differentiated; fold the condition if it is constant'),
  coupling: inBodies,
  cost: free,
  evaluate: notFolded,
  accepts: 'any',
})

/** What is inferred of the branches whose nodes fit the values around them: one that does not fit is never taken. */
function possible(bodies: readonly Body[], infer: (body: Body) => Types): readonly Types[] {
  const found: Types[] = []
  let misfit: SinterError | undefined
  for (const body of bodies) {
    try {
      found.push(infer(body))
    } catch (error) {
      if (!(error instanceof SinterError)) throw error
      misfit = error
    }
  }
  if (misfit && found.length === 0) throw misfit
  return found
}

const numbersOf = (t: Parameters<typeof numbers>[0]) => Array.from(numbers(t))

/** Refuses a body that does not take what its node gives to it, or that makes less than its node hands out. */
export function demandBody(body: Body, inputs: number, outputs: number): void {
  if (body.inputs.length !== inputs)
    throw new Error(`its body '${body.name}' has ${body.inputs.length} inputs where ${inputs} are given`)
  if (body.outputs.length < outputs)
    throw new Error(`its body '${body.name}' has ${body.outputs.length} outputs where ${outputs} are needed`)
}

export const loop = operator('Loop', {
  infer({ node, attributes: { body }, inputs, inputTypes, inferBody }) {
    for (const type of inputs.slice(0, 2)) demandSingle('trip count or condition', type)
    const carried = inputTypes.slice(2)
    demandBody(body, 2 + carried.length, 1 + Math.max(carried.length, node.outputs.length))
    const iteration: InferredType = { dtype: 'int64', shape: [] }
    const condition: TensorType = { dtype: 'bool', shape: [] }
    let goesOn: ValueType | undefined
    const found = settled(carried, types => {
      const [again, ...rest] = inferBody(body, [iteration, condition, ...types])
      goesOn = again
      return rest
    })
    const [limit] = inputs[0]?.value ?? []
    // A condition may end the loop before its limit; where it holds from first to last, it runs to the limit.
    const begins = !node.inputs[1] || holds(inputs[1])
    const trips = begins && (passesCondition(body) || holds(goesOn)) ? (limit ?? '') : ''
    return node.outputs.map((_, i) => {
      const type = found[i]
      if (i < carried.length || !isTensorType(type)) return type
      return { dtype: type.dtype, shape: type.shape && [trips, ...type.shape] }
    })
  },
  gradient: no('the values of every iteration would have to be kept; use Scan or unroll it'),
  coupling: inBodies,
  cost({ node, attributes: { body }, inputs, constant }) {
    const limit = constant(0)
    const [trips] = limit ? numbersOf(limit) : ((inputs[0]?.value ?? []) as readonly unknown[])
    return typeof trips === 'number' && !node.inputs[1] && passesCondition(body)
      ? { macs: 0, iterations: Math.max(0, trips) }
      : { macs: 0 }
  },
  evaluate: notFolded,
  accepts: 'any',
})

/** Whether a condition is known to be true. */
function holds(condition: ValueType | undefined): boolean {
  const [value] = (condition as InferredType | undefined)?.value ?? []
  return value === 1
}

/** Whether a loop's body hands its condition on as it got it. */
function passesCondition(body: Body): boolean {
  const name = body.outputs[0]?.name
  const maker = body.nodes.find(one => one.outputs.includes(name ?? ''))
  return name === body.inputs[1]?.name || (maker?.op === 'Identity' && maker.inputs[0] === body.inputs[1]?.name)
}

/**
 * The output types of a body whose first outputs go back to where `start` came from: what changes from one iteration to
 * the next is taken back until nothing changes any more.
 */
export function settled(start: Types, run: (types: Types) => Types): Types {
  let types: Types = start.map(withoutContents)
  for (;;) {
    const found = run(types)
    const next = types.map((type, i) => common(type, found[i]))
    if (next.every((type, i) => sameType(type, types[i])))
      return found.map((type, i) => (i < types.length ? types[i] : withoutContents(type)))
    types = next
  }
}

function withoutContents(type: ValueType | undefined): ValueType | undefined {
  return isTensorType(type) ? { dtype: type.dtype, shape: type.shape } : type
}

/** What two types have in common: sizes that differ are not known. */
export function common(a: ValueType | undefined, b: ValueType | undefined): ValueType | undefined {
  if (!a || !b) return undefined
  if (isTensorType(a) && isTensorType(b)) {
    if (a.dtype !== b.dtype) return undefined
    const shape =
      a.shape?.length === b.shape?.length
        ? a.shape?.map((dim, i) => (sameDim(dim, b.shape![i]!) ? dim : ''))
        : undefined
    return { dtype: a.dtype, shape }
  }
  if ('sequence' in a && 'sequence' in b) return wrapped('sequence', common(a.sequence, b.sequence))
  // What a branch gives as it is, another may give as an optional.
  if ('optional' in a || 'optional' in b) {
    const [left, right] = [a, b].map(type => ('optional' in type ? type.optional : type))
    return wrapped('optional', common(left, right))
  }
  return sameType(a, b) ? a : undefined
}

function wrapped(kind: 'sequence' | 'optional', type: ValueType | undefined): ValueType | undefined {
  return type && ({ [kind]: type } as unknown as ValueType)
}

function sameType(a: ValueType | undefined, b: ValueType | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
