import { expect, test } from 'vitest'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { einsum, parseEquation } from './einsum.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const sample = (equation: string, ...shapes: number[][]) => ({
  attributes: { equation },
  inputs: shapes.map(shape => ({ shape })),
})

conform(
  einsum,
  [
    sample('ij,jk->ik', [2, 3], [3, 4]),
    sample('bhqd, bhkd -> bhqk', [2, 1, 3, 4], [2, 1, 2, 4]),
    sample('ij->ji', [2, 3]),
    sample('ij->i', [2, 3]),
    sample('ij,ij->', [2, 3], [2, 3]),
    sample('i,j', [2], [3]),
    sample('...ij,...jk->...ik', [2, 2, 3], [2, 3, 4]),
    sample('...i,i->...', [2, 2, 3], [3]),
    sample('ij,jk,kl->il', [2, 3], [3, 2], [2, 2]),
    { ...sample('ii->i', [3, 3]), skip: { gradient: 'refused with a reason', coupling: 'tied to itself' } },
  ],
  bench,
)

test('an equation is spelled out with the axes that its dots stand for', () => {
  const { inputs, output } = parseEquation('...ij,jk', [
    [2, 3, 4, 5],
    [5, 6],
  ])
  expect(inputs[0]).toHaveLength(4)
  expect(output.slice(0, 2)).toEqual(inputs[0]!.slice(0, 2))
  expect(output.slice(2)).toEqual(['i', 'k'])
  expect(() =>
    parseEquation('ij,jk', [
      [2, 3],
      [3, 4, 5],
    ]),
  ).toThrow("'jk'")
})
