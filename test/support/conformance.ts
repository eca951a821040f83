import { messageOf, SinterError } from '../../src/base/errors.ts'
import { type Dim, elementCount, formatType, isFixed, isTensorType, type ValueType } from '../../src/base/shape.ts'
import { numbers, type Tensor } from '../../src/base/tensor.ts'
import { bodiesOf, dialect, type Graph, type Node, requiredInputs } from '../../src/graph/graph.ts'
import { decode } from '../../src/onnx/decode.ts'
import { encode } from '../../src/onnx/encode.ts'
import { isComputable } from '../../src/ops/elements.ts'
import { keyOf } from '../../src/ops/spec.ts'
import { check } from '../../src/read/check.ts'
import { evaluate } from '../../src/read/evaluate.ts'
import { inDialect } from '../../src/read/in-dialect.ts'
import { infer, type Types } from '../../src/read/infer.ts'
import { onnxruntimeNode } from '../../src/runtime/onnxruntime-node.ts'
import type { CaseValue, OnnxCase } from './onnx-cases.ts'

/** What became of one case. */
export interface CaseReport {
  readonly name: string
  /** Operators of the model, those in bodies too. */
  readonly operators: readonly string[]
  readonly outcome: 'passed' | 'refused' | 'failed'
  /** Why it is refused, or in what it failed. */
  readonly why?: string
  /** Whether the upgraded model has run and computed what the case expects. */
  readonly ran: boolean
  readonly upgraded: boolean
  /** Whether the model's inputs have fixed shapes. */
  readonly isStatic: boolean
  /** Outputs whose shapes are not fully known from the inputs' shapes. */
  readonly open: readonly string[]
  /** The same where short vectors of numbers that are fed (sizes, axes, scales) are constants, as in most models. */
  readonly openWithConstants: readonly string[]
  /** Outputs that were computed without an engine. */
  readonly evaluated: number
}

/**
 * Takes one case through everything that reading a model takes: decode, check, infer, upgrade, encode, decode again, and,
 * if `runs`, run in onnxruntime. Refused are cases with a part that Sinter does not handle and says so; every other
 * disagreement is a failure.
 */
export async function examine(one: OnnxCase, runs: boolean): Promise<CaseReport> {
  let report: CaseReport = {
    name: one.name,
    operators: [],
    outcome: 'passed',
    ran: false,
    upgraded: false,
    isStatic: false,
    open: [],
    openWithConstants: [],
    evaluated: 0,
  }
  try {
    const graph = one.graph()
    const [inputs, outputs] = [one.inputs(), one.outputs()]
    report = { ...report, operators: operatorsOf(graph), isStatic: graph.inputs.every(({ type }) => isFixedType(type)) }
    const [problem] = check(graph)
    if (problem) return { ...report, outcome: 'failed', why: `check: ${problem.message}` }
    const bare = withoutTypes(graph)
    const open = inferred('the shapes in the file', bare, outputs)
    inferred('the shapes that are fed', withInputs(bare, inputs), outputs)
    inferred('symbols', symbolic(bare, inputs), outputs)
    const constant = withConstants(withInputs(bare, inputs), inputs, isParameter)
    report = { ...report, open, openWithConstants: inferred('constants', constant, outputs) }
    report = {
      ...report,
      evaluated: evaluated(
        withConstants(bare, inputs, () => true),
        outputs,
      ),
    }
    const { graph: newer, refused } = inDialect(graph)
    const [wrong] = check(newer)
    if (wrong) return { ...report, outcome: 'failed', why: `check of the upgraded model: ${wrong.message}` }
    const bytes = encode(newer)
    const again = decode(bytes)
    report = { ...report, upgraded: newer !== graph }
    inferred('the upgraded model', withInputs(withoutTypes(again), inputs), outputs)
    if (runs) {
      await runAndCompare(bytes, inputs, outputs)
      report = { ...report, ran: true }
    }
    const [refusal] = isNewer(graph) ? [] : refused
    return refusal ? { ...report, outcome: 'refused', why: `${refusal.node}: ${refusal.why}` } : report
  } catch (error) {
    const refused = error instanceof SinterError && error.code === 'not-supported'
    return { ...report, outcome: refused ? 'refused' : 'failed', why: messageOf(error) }
  }
}

/** What uses operators newer than the dialect stays as it is. */
function isNewer(graph: Graph): boolean {
  return (graph.opset[''] ?? dialect) > dialect
}

/** Infers, and throws where that contradicts the outputs. Returns the outputs whose shapes are not fully known. */
function inferred(from: string, graph: Graph, outputs: readonly CaseValue[]): readonly string[] {
  let types: Types
  try {
    types = infer(graph)
  } catch (error) {
    throw new Error(`inference from ${from}: ${messageOf(error)}`)
  }
  const open: string[] = []
  for (const [i, { name }] of graph.outputs.entries()) {
    const [type, actual] = [types.get(name), outputs[i]]
    if (contradicts(type, actual)) {
      throw new Error(`inference from ${from}: ${formatType(type)} for ${formatActual(actual)}`)
    }
    if (!type || (isTensorType(type) && !isFixed(type.shape))) open.push(`${name}: ${formatType(type)}`)
  }
  return open
}

function contradicts(type: ValueType | undefined, actual: CaseValue): boolean {
  if (!type || !actual) return false
  if ('optional' in type) {
    const single = isTensorType(type.optional) && isList(actual)
    return contradicts(type.optional, single ? actual[0] : actual)
  }
  if (isList(actual)) return !('sequence' in type) || actual.some(one => contradicts(type.sequence, one))
  if (!isTensorType(type) || type.dtype !== actual.dtype) return true
  const { shape } = type
  if (!shape) return false
  return shape.length !== actual.shape.length || !shape.every((dim, axis) => mayBe(dim, actual.shape[axis]!))
}

function isList(value: CaseValue): value is readonly Tensor[] {
  return Array.isArray(value)
}

/** Whether a dimension can be of a size; the symbol `size_3` is 3. */
function mayBe(dim: Dim, size: number): boolean {
  if (typeof dim === 'number') return dim === size
  if (!dim.includes('size_')) return true
  const text = dim.replaceAll(/size_(\d+)/g, '$1')
  if (!/^(?:[\d+\-*/(),. ]|floor|ceil|max|min)*$/.test(text)) return true
  return (
    new Function('floor', 'ceil', 'max', 'min', `return ${text}`)(Math.floor, Math.ceil, Math.max, Math.min) === size
  )
}

function formatActual(actual: CaseValue): string {
  if (!actual) return '?'
  if (isList(actual)) return `a sequence of ${actual.map(formatActual).join(', ')}`
  return `${actual.dtype}[${actual.shape}]`
}

/** Compares what is evaluated without an engine; returns how many outputs were. */
function evaluated(graph: Graph, outputs: readonly CaseValue[]): number {
  const values = evaluate(graph)
  let count = 0
  for (const [i, { name }] of graph.outputs.entries()) {
    const [value, expected] = [values.get(name), outputs[i]]
    if (!value || !expected || isList(expected)) continue
    count++
    const difference = differenceOf(value, expected)
    if (difference) throw new Error(`evaluation: ${difference}`)
  }
  return count
}

async function runAndCompare(bytes: Uint8Array, inputs: readonly CaseValue[], outputs: readonly CaseValue[]) {
  await using session = await onnxruntimeNode.open(bytes, { threads: 1 })
  const feeds = Object.fromEntries(session.inputs.map(({ name }, i) => [name, tensorAt(inputs, i)]))
  const results = await session.run(feeds)
  for (const [i, { name }] of session.outputs.entries()) {
    const difference = differenceOf(results[name]!, tensorAt(outputs, i))
    if (difference) throw new Error(`the upgraded model's output '${name}': ${difference}`)
  }
}

function tensorAt(values: readonly CaseValue[], i: number): Tensor {
  const value = values[i]
  if (value && !isList(value)) return value
  throw new SinterError('not-supported', `The value at place ${i} is no tensor: it cannot be fed or compared.`)
}

/** In what two tensors differ, at a relative and absolute tolerance of 1e-3; undefined if in nothing. */
export function differenceOf(actual: Tensor, expected: Tensor): string | undefined {
  if (actual.dtype !== expected.dtype || `${actual.shape}` !== `${expected.shape}`) {
    return `${actual.dtype}[${actual.shape}] for ${expected.dtype}[${expected.shape}]`
  }
  const [a, b] = [actual, expected].map(t => (isComputable(t.dtype) ? numbers(t) : (t.data as ArrayLike<number>)))
  for (let i = 0; i < b!.length; i++) {
    const [v, w] = [a![i]!, b![i]!]
    if (v === w || Object.is(v, w) || Math.abs(v - w) <= 1e-3 + 1e-3 * Math.abs(w)) continue
    return `element ${i} is ${v}, not ${w}`
  }
  return undefined
}

function operatorsOf(graph: Graph): readonly string[] {
  const found = new Set<string>()
  const visit = (node: Node) => {
    found.add(keyOf(node))
    for (const body of bodiesOf(node)) body.nodes.forEach(visit)
  }
  graph.nodes.forEach(visit)
  return [...found].sort()
}

function isFixedType(type: ValueType | undefined): boolean {
  return isTensorType(type) && isFixed(type.shape)
}

function withoutTypes(graph: Graph): Graph {
  const outputs = graph.outputs.map(({ name }) => ({ name, type: undefined }))
  return { ...graph, types: new Map(), outputs }
}

/** The graph for inputs of exactly these types. */
function withInputs(graph: Graph, values: readonly CaseValue[]): Graph {
  return withShapes(graph, values, shape => shape)
}

/** The graph for inputs whose every size is a symbol: 3 is `size_3`. */
function symbolic(graph: Graph, values: readonly CaseValue[]): Graph {
  return withShapes(graph, values, shape => shape.map(size => `size_${size}`))
}

function withShapes(graph: Graph, values: readonly CaseValue[], change: (shape: readonly number[]) => readonly Dim[]) {
  const fed = new Map(requiredInputs(graph).map(({ name }, i) => [name, values[i]]))
  const inputs = graph.inputs.map(value => {
    const t = fed.get(value.name)
    return t && !isList(t) && isTensorType(value.type)
      ? { ...value, type: { dtype: t.dtype, shape: change(t.shape) } }
      : value
  })
  return { ...graph, inputs }
}

/** Numbers that say how something is done: sizes, axes, scales, bounds. Models have them as constants. */
const isParameter = ({ dtype, shape }: Tensor) => dtype !== 'string' && shape.length <= 1 && elementCount(shape) <= 16

/** The graph with what is fed as constants, where `chosen`. */
function withConstants(graph: Graph, values: readonly CaseValue[], chosen: (t: Tensor) => boolean): Graph {
  const given = new Map<string, Tensor>()
  requiredInputs(graph).forEach(({ name }, i) => {
    const t = values[i]
    if (t && !isList(t) && chosen(t)) given.set(name, t)
  })
  return {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => !given.has(name)),
    initializers: new Map([...graph.initializers, ...given]),
  }
}
