import { describe, expect, test } from 'vitest'
import { random } from '../../base/random.ts'
import { float32s } from '../../base/tensor.ts'
import { emptyGraph, type Graph } from '../../graph/graph.ts'
import { renameValues } from '../../graph/rename.ts'
import { extend } from '../../read/extend.ts'
import type { Backend } from '../../runtime/backend.ts'
import type { Combine, CombineMethod } from '../combine.ts'

/** What every combine method must do. Call it at the top of a test file. */
export function conformMethod(method: CombineMethod, backend: Backend): void {
  describe(method.name, () => {
    for (const [what, members, classes] of cases()) {
      for (const weighted of method.weigh ? [false, true] : [false]) {
        test(`agrees as a graph and on arrays: ${what}${weighted ? ', weighted' : ''}`, async () => {
          const weights = weighted ? members.map((_, i) => 1 + i) : undefined
          const byGraph = await run(method(weights), members, classes, backend)
          const byArrays = method.combine(members, classes, weights)
          expect(byArrays.length).toBe(byGraph.length)
          expect(Math.max(...byArrays.map((value, i) => Math.abs(value - byGraph[i]!)))).toBeLessThan(1e-6)
          expect(labels(byArrays, classes)).toEqual(labels(byGraph, classes))
        })
      }

      test(`gives distributions: ${what}`, () => {
        const combined = method.combine(members, classes)
        const sums = Array.from({ length: combined.length / classes }, (_, row) =>
          combined.subarray(row * classes, (row + 1) * classes).reduce((sum, value) => sum + value, 0),
        )
        expect(Math.min(...combined)).toBeGreaterThanOrEqual(0)
        expect(Math.max(...sums.map(sum => Math.abs(sum - 1)))).toBeLessThan(1e-5)
      })
    }

    test('chooses what its members agree on', () => {
      const members = [0.4, 0.6, 0.9].map(p => Float32Array.of((1 - p) / 3, p, (1 - p) / 3, (1 - p) / 3))
      expect(labels(method.combine(members, 4), 4)).toEqual([1])
    })

    test('leaves its members as they were, and takes float64', () => {
      const members = [Float64Array.of(0.1, 0.9), Float64Array.of(0.3, 0.7)]
      method.combine(members, 2)
      expect(members).toEqual([Float64Array.of(0.1, 0.9), Float64Array.of(0.3, 0.7)])
      expect(method.combine(members, 2)).toEqual(
        method.combine(
          members.map(one => Float32Array.from(one)),
          2,
        ),
      )
    })

    test('refuses members of different sizes and weights of another number', () => {
      expect(() => method.combine([new Float32Array(4), new Float32Array(6)], 2)).toThrow(/Member 1 has 6/)
      expect(() => method.combine([new Float32Array(4)], 2, [1, 2])).toThrow(/2 weights for 1 members/)
    })
  })
}

type Case = readonly [what: string, members: readonly Float32Array[], classes: number]

function* cases(): Iterable<Case> {
  for (const [count, classes] of [
    [1, 3],
    [2, 10],
    [3, 2],
    [4, 5],
    [5, 10],
  ] as const) {
    const draw = random(count).fork(classes)
    const rows = 200
    // Softmaxes of normal numbers: some sharp, some flat.
    const member = () => softmaxes(rows, classes, () => draw.normal() * (draw.uniform() < 0.5 ? 0.2 : 4))
    yield [`${count} members, ${classes} classes`, Array.from({ length: count }, member), classes]
    // Few different values: members vote against each other, classes tie within and between members.
    const tied = () => coarse(rows, classes, () => draw.integer(3))
    yield [`${count} members, ${classes} classes, ties`, Array.from({ length: count }, tied), classes]
  }
  const oneHot = (c: number) => Float32Array.from({ length: 3 }, (_, i) => (i === c ? 1 : 0))
  yield ['certain members that contradict each other', [oneHot(0), oneHot(1), oneHot(2)], 3]
  yield ['a member certain of the wrong class', [oneHot(2), oneHot(1), oneHot(1)], 3]
  yield ['probabilities near zero', [Float32Array.of(1, 1e-30, 0), Float32Array.of(1e-30, 1, 1e-38)], 3]
}

function softmaxes(rows: number, classes: number, draw: () => number): Float32Array {
  return normalized(rows, classes, () => Math.exp(draw()))
}

function coarse(rows: number, classes: number, draw: () => number): Float32Array {
  return normalized(rows, classes, () => draw() + 1)
}

function normalized(rows: number, classes: number, draw: () => number): Float32Array {
  const values = new Float32Array(rows * classes)
  for (let row = 0; row < values.length; row += classes) {
    const weights = Array.from({ length: classes }, draw)
    const sum = weights.reduce((a, b) => a + b)
    values.set(
      weights.map(w => w / sum),
      row,
    )
  }
  return values
}

function labels(probabilities: Float32Array, classes: number): number[] {
  return Array.from({ length: probabilities.length / classes }, (_, row) => {
    const values = probabilities.subarray(row * classes, (row + 1) * classes)
    return values.indexOf(Math.max(...values))
  })
}

/** The rule alone as a graph, on the members as inputs. */
async function run(combine: Combine, members: readonly Float32Array[], classes: number, backend: Backend) {
  const names = members.map((_, i) => `member${i}`)
  const type = { dtype: 'float32', shape: ['N', classes] } as const
  const empty: Graph = { ...emptyGraph('combine'), inputs: names.map(name => ({ name, type })) }
  let result = ''
  const graph = extend(empty, (op, draft) => {
    result = combine(op, names)
    draft.outputs.push({ name: result, type })
  })
  const shape = [members[0]!.length / classes, classes]
  const feeds = Object.fromEntries(members.map((values, i) => [names[i]!, float32s(shape, values)]))
  await using session = await backend.open(renameValues(graph, name => (name === result ? 'combined' : name)))
  return (await session.run(feeds)).combined!.data as Float32Array
}
