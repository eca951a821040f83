import { SinterError } from '../base/errors.ts'
import { type Dim, isTensorType, sameDim, type TensorType, type ValueType } from '../base/shape.ts'
import { numbers } from '../base/tensor.ts'
import type { Body } from '../graph/graph.ts'
import { free, type InferredType, no, operator } from './operator.ts'

type Types = readonly (ValueType | undefined)[]

const inBodies = no('what is inside of its bodies would have to be followed')
const notFolded = no('bodies are not run')

export const conditional = operator('If', {
  infer({ node, attributes: { then_branch, else_branch }, inputs: [condition], inferBody, constant }) {
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

export const loop = operator('Loop', {
  infer({ node, attributes: { body }, inputs, inputTypes, inferBody }) {
    const carried = inputTypes.slice(2)
    const iteration: InferredType = { dtype: 'int64', shape: [] }
    const condition: TensorType = { dtype: 'bool', shape: [] }
    const run = (types: Types) => inferBody(body, [iteration, condition, ...types]).slice(1)
    const found = settled(carried, run)
    const [limit] = inputs[0]?.value ?? []
    // A condition may end the loop before its limit; without one it runs to the limit.
    const trips = node.inputs[1] || !passesCondition(body) ? '' : (limit ?? '')
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

/** Whether a loop's body hands its condition on as it got it. */
function passesCondition(body: Body): boolean {
  const name = body.outputs[0]?.name
  const maker = body.nodes.find(one => one.outputs.includes(name ?? ''))
  return name === body.inputs[1]?.name || (maker?.op === 'Identity' && maker.inputs[0] === body.inputs[1]?.name)
}

export const scan = operator('Scan', {
  infer(call) {
    const { node, attributes, inputTypes, opset, inferBody } = call
    if (opset < 9) return node.outputs.map(() => undefined)
    const count = attributes.num_scan_inputs
    const states = inputTypes.slice(0, inputTypes.length - count)
    const scanned = inputTypes.slice(states.length).map(type => (isTensorType(type) ? type : undefined))
    const axes = scanned.map((_, i) => attributes.scan_input_axes?.[i] ?? 0)
    let length: Dim = ''
    const slices = scanned.map((type, i): TensorType | undefined => {
      if (!type?.shape) return type
      const at = axes[i]! < 0 ? axes[i]! + type.shape.length : axes[i]!
      const size = type.shape[at] ?? ''
      if (length === '' || typeof size === 'number') length = size
      return { dtype: type.dtype, shape: type.shape.toSpliced(at, 1) }
    })
    const found = settled(states, types => inferBody(attributes.body, [...types, ...slices]))
    return node.outputs.map((_, i) => {
      const type = found[i]
      if (i < states.length || !isTensorType(type)) return type
      const axis = attributes.scan_output_axes?.[i - states.length] ?? 0
      const at = axis < 0 && type.shape ? axis + type.shape.length + 1 : axis
      return { dtype: type.dtype, shape: type.shape?.toSpliced(at, 0, length) }
    })
  },
  gradient: no('the values of every step would have to be kept'),
  coupling: inBodies,
  cost({ attributes, inputs }) {
    const count = attributes.num_scan_inputs
    const axes = attributes.scan_input_axes
    const lengths = inputs.slice(inputs.length - count).map((type, i) => type?.shape?.at(axes?.[i] ?? 0))
    const steps = lengths.find(length => typeof length === 'number')
    return steps === undefined ? { macs: 0 } : { macs: 0, iterations: steps }
  },
  evaluate: notFolded,
  accepts: 'any',
})

/**
 * The output types of a body whose first outputs go back to where `start` came from: what changes from one iteration to
 * the next is taken back until nothing changes any more.
 */
function settled(start: Types, run: (types: Types) => Types): Types {
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
