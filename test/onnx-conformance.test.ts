import { describe, expect, test } from 'vitest'
import { isTensorType } from '../src/base/shape.ts'
import { numbers, type Tensor } from '../src/base/tensor.ts'
import type { Graph } from '../src/graph/graph.ts'
import { isComputable } from '../src/ops/elements.ts'
import { check } from '../src/read/check.ts'
import { evaluate } from '../src/read/evaluate.ts'
import { infer } from '../src/read/infer.ts'
import { upgrade } from '../src/read/upgrade.ts'
import { onnxruntimeNode } from '../src/runtime/onnxruntime-node.ts'
import { type OnnxCase, onnxCases } from './support/onnx-cases.ts'

const cases = onnxCases()

/** Runs one check on every case and lists what is wrong with it. */
async function wrongs(look: (one: OnnxCase, graph: Graph) => Promise<string | undefined> | string | undefined) {
  const found: string[] = []
  for (const one of cases as readonly OnnxCase[]) {
    try {
      const wrong = await look(one, one.graph())
      if (wrong) found.push(`${one.name}: ${wrong}`)
    } catch (error) {
      found.push(`${one.name}: ${error instanceof Error ? error.message : error}`)
    }
  }
  return found
}

describe.skipIf(typeof cases === 'string')("ONNX's own conformance cases", () => {
  test('are sound graphs', async () => {
    expect(await wrongs((_, graph) => check(graph)[0]?.message)).toEqual([])
  })

  test('have outputs of the types that are inferred', async () => {
    const found = await wrongs((one, graph) => {
      const outputs = one.outputs()
      for (const fed of [false, true]) {
        const types = infer(fed ? withInputs(withoutTypes(graph), one.inputs()) : withoutTypes(graph))
        for (const [i, { name }] of graph.outputs.entries()) {
          const [type, actual] = [types.get(name), outputs[i]]
          if (!actual || !isTensorType(type)) continue
          const { dtype, shape } = type
          const fits = shape?.every((dim, k) => typeof dim === 'string' || dim === actual.shape[k]) ?? true
          if (dtype !== actual.dtype || !fits || (shape && shape.length !== actual.shape.length)) {
            return `${dtype}[${shape}] is inferred for ${actual.dtype}[${actual.shape}]`
          }
        }
      }
      return undefined
    })
    expect(found).toEqual([])
  })

  test('evaluate to their outputs, as far as records evaluate them', async () => {
    let evaluated = 0
    const found = await wrongs((one, graph) => {
      const outputs = one.outputs()
      const values = evaluate(withConstants(withoutTypes(graph), one.inputs()))
      for (const [i, { name }] of graph.outputs.entries()) {
        const [value, expected] = [values.get(name), outputs[i]]
        if (!value || !expected) continue
        evaluated++
        const difference = differenceOf(value, expected)
        if (difference) return difference
      }
      return undefined
    })
    expect(found).toEqual([])
    expect(evaluated).toBeGreaterThan(700)
  })

  test('compute the same once they are upgraded', async () => {
    let upgraded = 0
    const found = await wrongs(async (one, graph) => {
      const { graph: newer, refused } = upgrade(graph)
      if (refused.length > 0) return `${refused[0]!.node}: ${refused[0]!.why}`
      const [problem] = check(newer)
      if (problem) return problem.message
      if (newer === graph || !one.runs) return undefined
      const inputs = one.inputs()
      const expected = one.outputs()
      if (![...inputs, ...expected].every(t => t && isComputable(t.dtype) && t.dtype !== 'bfloat16')) return undefined
      upgraded++
      await using session = await onnxruntimeNode.open(newer, { threads: 1 })
      const feeds = Object.fromEntries(session.inputs.map(({ name }, i) => [name, inputs[i]!]))
      const results = await session.run(feeds)
      for (const [i, { name }] of graph.outputs.entries()) {
        const difference = differenceOf(results[name]!, expected[i]!)
        if (difference) return difference
      }
      return undefined
    })
    expect(found).toEqual([])
    expect(upgraded).toBeGreaterThan(300)
  })
})

function withoutTypes(graph: Graph): Graph {
  const outputs = graph.outputs.map(({ name }) => ({ name, type: undefined }))
  return { ...graph, types: new Map(), outputs }
}

/** The graph for inputs of exactly these types. */
function withInputs(graph: Graph, tensors: readonly (Tensor | undefined)[]): Graph {
  const inputs = graph.inputs.map((value, i) => {
    const t = tensors[i]
    return t && isTensorType(value.type) ? { ...value, type: { dtype: t.dtype, shape: t.shape } } : value
  })
  return { ...graph, inputs }
}

function withConstants(graph: Graph, tensors: readonly (Tensor | undefined)[]): Graph {
  const given = graph.inputs.flatMap(({ name }, i) => (tensors[i] ? [[name, tensors[i]] as const] : []))
  return {
    ...graph,
    inputs: graph.inputs.filter((_, i) => !tensors[i]),
    initializers: new Map([...graph.initializers, ...given]),
  }
}

function differenceOf(actual: Tensor, expected: Tensor): string | undefined {
  if (actual.dtype !== expected.dtype || `${actual.shape}` !== `${expected.shape}`) {
    return `${actual.dtype}[${actual.shape}] for ${expected.dtype}[${expected.shape}]`
  }
  const [a, b] = [actual, expected].map(t =>
    Array.from(isComputable(t.dtype) ? numbers(t) : (t.data as ArrayLike<number>)),
  )
  const at = a!.findIndex(
    (v, i) => !(Object.is(v, b![i]) || v === b![i] || Math.abs(v - b![i]!) <= 1e-3 * Math.max(1, Math.abs(b![i]!))),
  )
  return at < 0 ? undefined : `element ${at} is ${a![at]}, not ${b![at]}`
}
