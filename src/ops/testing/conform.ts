import { describe, expect, test } from 'vitest'
import { isFloat } from '../../base/dtype.ts'
import { random } from '../../base/random.ts'
import { type Dim, formatType, isTensorType, type TensorType, type ValueType } from '../../base/shape.ts'
import { numbers, type Tensor } from '../../base/tensor.ts'
import { edit } from '../../graph/edit.ts'
import { dialect, type Graph } from '../../graph/graph.ts'
import { callOf, inferNode } from '../call.ts'
import { isComputable } from '../elements.ts'
import { type InferredType, isNo, type Operator } from '../operator.ts'
import type { OpName } from '../spec.ts'
import { upgradeNode } from '../upgrade.ts'
import { comparePrunings, type EachPair } from './check-coupling.ts'
import { compareGradients } from './check-gradient.ts'
import { type OneNode, oneNode, type Question, type Sample, scopeOver } from './sample.ts'

/** What the suite stands on, handed in because it lives on higher floors. */
export interface Bench {
  /** An engine, such as `onnxruntimeNode`. */
  readonly backend: {
    open(
      graph: Graph,
      options?: { readonly threads?: number; readonly graphOptimization?: 'disabled' },
    ): Promise<Engine>
  }
  /** Enumerates the pairs that an IndexMap relates. */
  readonly eachPair: EachPair
}

interface Engine extends AsyncDisposable {
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>
}

/**
 * The contract of an operator's record, as tests derived from samples of its use: what it infers is what onnxruntime
 * computes, its gradient agrees with central differences, a node whose channels left gives what zeros give, what it
 * evaluates is what onnxruntime computes, and upgraded nodes do what the old ones did.
 */
export function conform(
  row: { readonly type: OpName },
  samples: readonly Sample[],
  { backend, eachPair }: Bench,
): void {
  const record = row as Operator // A row of any operator: its rules are given calls of that operator only.
  const stream = random(3).fork(record.type)
  const sessions = new Map<Graph, Promise<Engine>>()
  const run = async (graph: Graph, feeds: Readonly<Record<string, Tensor>>) => {
    let session = sessions.get(graph)
    if (!session) {
      session = backend.open(graph, { threads: 1, graphOptimization: 'disabled' })
      sessions.set(graph, session)
    }
    return (await session).run(feeds)
  }
  const closed = async (check: () => Promise<void>) => {
    try {
      await check()
    } finally {
      for (const session of sessions.values())
        await session.then(
          one => one[Symbol.asyncDispose](),
          () => {},
        )
      sessions.clear()
    }
  }

  describe(record.type, () => {
    samples.forEach((sample, n) => {
      const called =
        sample.name ??
        Object.entries(sample.attributes ?? {})
          .map(([k, v]) => `${k} ${v}`)
          .join(', ')
      const title = `${sample.opset ? `opset ${sample.opset} ` : ''}${called || `sample ${n + 1}`}`
      const its = stream.fork(n)
      const ask = (question: Question, behaviour: string, check: () => Promise<void>) => {
        const reason = sample.skip?.[question]
        if (reason === undefined) test(`${title}: ${behaviour}`, () => closed(check))
        else test(`${title}: ${behaviour}`, ({ skip }) => skip(reason))
      }

      ask('infer', 'infers what onnxruntime computes', async () => {
        for (const fedConstants of [false, true]) {
          const one = oneNode(record, sample, its, { fedConstants })
          const results = await run(one.graph, one.feeds)
          const inferred = inferNode(one.node, one.scope)
          for (const [i, name] of one.node.outputs.entries()) expectType(inferred[i], results[name]!, !fedConstants)
        }
      })
      ask('symbolic', 'contradicts nothing where sizes are symbols or unknown', async () => {
        const one = oneNode(record, sample, its)
        const results = await run(one.graph, one.feeds)
        for (const blurred of blurrings(one)) {
          const inferred = inferNode(one.node, blurred)
          for (const [i, name] of one.node.outputs.entries()) expectType(inferred[i], results[name]!, false)
        }
      })
      if (sample.opset !== undefined && sample.opset < dialect) {
        ask('upgrade', 'is upgraded to what computes the same', async () => {
          const { graph, feeds, scope } = oneNode(record, sample, its)
          const upgraded = upgradedGraph(graph, scope)
          const [before, after] = [await run(graph, feeds), await run(upgraded, feeds)]
          for (const { name } of graph.outputs) expectClose(after[name]!, before[name]!, 1e-6)
        })
        return
      }
      const drawsFloats = sample.inputs.some(input => input && !('data' in input) && isFloat(input.dtype ?? 'float32'))
      if (!isNo(record.gradient) && drawsFloats) {
        ask('gradient', 'has the gradient that differences show', async () => {
          for (const { what, analytic, numeric, tolerance } of await compareGradients(record, sample, its, run)) {
            expectNear(Array.from(analytic), Array.from(numeric), tolerance, what)
          }
        })
      }
      if (!isNo(record.coupling) && drawsFloats) {
        ask('coupling', 'gives without channels what it gives with zeros there', async () => {
          for (const { what, pruned, masked } of await comparePrunings(record, sample, its, run, eachPair)) {
            for (const [i, t] of pruned.entries()) expectClose(t, masked[i]!, 1e-5, what)
          }
        })
      }
      if (!isNo(record.evaluate)) {
        ask('evaluate', 'evaluates to what onnxruntime computes', async () => {
          const one = oneNode(record, sample, its)
          const results = await run(one.graph, one.feeds)
          const evaluate = record.evaluate as Exclude<Operator['evaluate'], { no: string }>
          const constant = (name: string) => one.inputs[one.node.inputs.indexOf(name)]
          const made = evaluate(callOf(one.node, { ...one.scope, constant }), one.inputs)
          for (const [i, name] of one.node.outputs.entries()) expectClose(made[i]!, results[name]!, 1e-6)
        })
      }
    })
  })
}

/** The graph in the dialect. */
function upgradedGraph(graph: Graph, scope: OneNode['scope']): Graph {
  const newer = edit(graph, draft => {
    for (const node of [...draft.nodes()]) {
      const upgraded = upgradeNode(node, scope, dialect, draft)
      if ('refused' in upgraded) throw new Error(upgraded.refused)
      draft.remove(node)
      draft.add(...upgraded.nodes)
    }
  })
  return { ...newer, opset: { ...graph.opset, '': dialect } }
}

/** Scopes in which less is known: sizes as symbols (equal ones by one symbol), not at all, and not even the rank. */
function blurrings({ graph, scope }: OneNode): OneNode['scope'][] {
  const blur = (change: (shape: readonly Dim[]) => readonly Dim[] | undefined) => {
    const types = new Map(
      graph.inputs.map(({ name, type }) => {
        const { dtype, shape } = type as TensorType
        return [name, { dtype, shape: change(shape!) }] as const
      }),
    )
    return { ...scopeOver(graph, types), constant: scope.constant }
  }
  return [
    blur(shape => shape.map(size => `s${size}`)),
    blur(shape => shape.map((size, axis) => (axis === 0 ? `s${size}` : size))),
    blur(shape => shape.map((): Dim => '')),
    blur(() => undefined),
  ]
}

/** What is inferred must hold of what was computed; where `fully`, every size must be known too. */
function expectType(type: InferredType | ValueType | undefined, actual: Tensor, fully: boolean): void {
  if (!type && !fully) return
  expect(isTensorType(type), `inferred ${formatType(type)}`).toBe(true)
  const { dtype, shape, value } = type as InferredType
  expect(dtype).toBe(actual.dtype)
  const message = `inferred ${formatType(type)}, computed [${actual.shape}]`
  if (shape) {
    expect(shape.length, message).toBe(actual.shape.length)
    for (const [axis, dim] of shape.entries()) expectDim(dim, actual.shape[axis]!, message)
  } else if (fully) expect.fail(message)
  if (value) {
    const contents = numbers(actual)
    expect(value.length, `contents of ${message}`).toBe(contents.length)
    for (const [i, dim] of value.entries()) expectDim(dim, contents[i]!, `contents [${value}] of ${message}`)
  }
}

/** A symbol `s3` stands for 3, in expressions too. */
function expectDim(dim: Dim, actual: number, message: string): void {
  if (dim === '') return
  const size = typeof dim === 'number' ? dim : evaluated(dim)
  expect(size, message).toBeCloseTo(actual, 5)
}

function evaluated(expression: string): number {
  const text = expression.replaceAll(/s(\d+)/g, '$1')
  return new Function('floor', 'ceil', 'max', 'min', `return ${text}`)(Math.floor, Math.ceil, Math.max, Math.min)
}

function expectClose(actual: Tensor, expected: Tensor, tolerance: number, what = ''): void {
  expect(actual.dtype, what).toBe(expected.dtype)
  expect(actual.shape, what).toEqual(expected.shape)
  if (!isComputable(actual.dtype))
    expect(Array.from(actual.data as ArrayLike<unknown>)).toEqual(Array.from(expected.data as ArrayLike<unknown>))
  else
    expectNear(Array.from(numbers(actual)), Array.from(numbers(expected)), isFloat(actual.dtype) ? tolerance : 0, what)
}

function expectNear(actual: readonly number[], expected: readonly number[], tolerance: number, what: string): void {
  expect(actual.length, what).toBe(expected.length)
  const scale = expected.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 1)
  const wrong = actual.findIndex((v, i) => {
    const w = expected[i]!
    return Number.isFinite(w) ? !(Math.abs(v - w) <= tolerance * scale) : !Object.is(v, w)
  })
  if (wrong >= 0)
    expect.fail(`${what}: element ${wrong} is ${actual[wrong]}, not ${expected[wrong]}: [${actual}] for [${expected}]`)
}
