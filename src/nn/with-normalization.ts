import { SinterError } from '../base/errors.ts'
import { isTensorType } from '../base/shape.ts'
import { float32s } from '../base/tensor.ts'
import { type Graph, only, requiredInputs } from '../graph/graph.ts'
import { extend } from '../read/extend.ts'

export interface Normalization {
  /** The input to normalise, by name; may be left out where there is only one. */
  readonly input?: string
  /** The value is multiplied by this first; 1/255 if left out, as fits bytes. */
  readonly scale?: number
  /** Of the scaled values: one for all, or one for each channel (axis 1). 0 and 1 if left out. */
  readonly mean?: number | readonly number[]
  readonly std?: number | readonly number[]
}

/**
 * Puts (x * scale - mean) / std in front of a graph's float32 input, so that it takes values as they are stored, such as
 * pixels from 0 to 255. The input keeps its name.
 * @throws SinterError `invalid-argument` if the numbers do not fit the input's channels, or a deviation is not above 0.
 */
export function withNormalization(graph: Graph, options: Normalization = {}): Graph {
  const { input = only(requiredInputs(graph), 'input').name, scale = 1 / 255, mean = 0, std = 1 } = options
  const type = graph.inputs.find(({ name }) => name === input)?.type
  if (!isTensorType(type) || type.dtype !== 'float32' || !type.shape)
    throw new SinterError('invalid-argument', `'${input}' is not a float32 input of known rank.`, { input })
  const [rank, channels] = [type.shape.length, type.shape[1]]
  const count = Math.max(lengthOf(mean), lengthOf(std))
  if (count > 1 && (rank < 2 || (typeof channels === 'number' && channels !== count)))
    throw new SinterError(
      'invalid-argument',
      `'${input}' has ${channels ?? 'no'} channels, but there are means or deviations for ${count}.`,
      { input, channels, count },
    )
  const means = listOf(mean, count)
  const deviations = listOf(std, count)
  if (!deviations.every(deviation => deviation > 0) || means.length !== count || deviations.length !== count)
    throw new SinterError('invalid-argument', 'Give as many means as deviations, and deviations above 0.', {
      mean,
      std,
    })

  const shape = count === 1 ? [] : [count, ...new Array<number>(rank - 2).fill(1)]
  const factor = float32s(
    shape,
    deviations.map(deviation => scale / deviation),
  )
  const offset = float32s(
    shape,
    deviations.map((deviation, i) => -means[i]! / deviation),
  )
  return extend(graph, (ops, draft) => {
    const op = ops.within('normalize/')
    // What reads the input reads a stand-in while the new nodes are made, or they would read themselves.
    const standIn = draft.fresh(`${input}_normalized`)
    draft.redirect(input, standIn)
    draft.nodes()
    const scaled = op.Mul([input, op.constant(factor, 'normalize.factor')])
    draft.redirect(standIn, op.Add([scaled, op.constant(offset, 'normalize.offset')]))
  })
}

function lengthOf(value: number | readonly number[]): number {
  return typeof value === 'number' ? 1 : value.length
}

function listOf(value: number | readonly number[], count: number): readonly number[] {
  return typeof value === 'number' ? new Array<number>(count).fill(value) : value
}
