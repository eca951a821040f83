import { arrayLength } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { elementCount, formatShape, formatType, isTensorType, type TensorType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import type { Value } from '../graph/graph.ts'
import type { Feeds } from './backend.ts'

/**
 * Checks that feeds are what a graph's inputs ask for: every name, no other, each of its type and shape. A symbolic
 * dimension may be any size, but the same one wherever it stands.
 * @throws SinterError `invalid-argument` that names the input.
 */
export function checkFeeds(inputs: readonly Value[], feeds: Feeds): void {
  const sizes = new Map<string, { readonly size: number; readonly input: string }>()
  for (const { name, type } of inputs) {
    const fed = feeds[name]
    if (!fed) refuse(name, `The input '${name}' (${formatType(type)}) is missing from the feeds.`, inputs)
    if (type && !isTensorType(type))
      throw new SinterError(
        'not-supported',
        `The input '${name}' is a ${formatType(type)}; only tensors can be fed. Give the graph a tensor input instead.`,
        { input: name },
      )
    checkData(name, fed)
    if (type) checkType(name, type, fed, sizes)
  }
  const names = Object.keys(feeds)
  if (names.length === inputs.length) return
  const stray = names.find(name => !inputs.some(input => input.name === name))
  if (stray !== undefined) refuse(stray, `The graph has no input '${stray}' to feed; it has ${list(inputs)}.`, inputs)
}

/**
 * The outputs to compute: those named, or all.
 * @throws SinterError `invalid-argument` if a name is not an output, `not-supported` if an output is not a tensor.
 */
export function checkFetch(
  outputs: ReadonlyMap<string, Value>,
  fetch: readonly string[] | undefined,
): readonly string[] {
  const names = fetch ?? [...outputs.keys()]
  for (const name of names) {
    const output = outputs.get(name)
    if (!output)
      throw new SinterError(
        'invalid-argument',
        `The graph has no output '${name}'; it has ${list([...outputs.values()])}.`,
        { output: name },
      )
    if (output.type && !isTensorType(output.type))
      throw new SinterError(
        'not-supported',
        `The output '${name}' is a ${formatType(output.type)}; only tensors can be fetched. Name the outputs you want.`,
        { output: name },
      )
  }
  return names
}

/** The array must hold what the shape says: an engine reads that far. */
function checkData(name: string, { dtype, shape, data }: Tensor): void {
  const sound = shape.every(size => Number.isSafeInteger(size) && size >= 0)
  if (sound && data.length === arrayLength(dtype, elementCount(shape))) return
  throw new SinterError(
    'invalid-argument',
    `The tensor fed to '${name}' says ${dtype}${formatShape(shape)} but its array has ${data.length} entries.`,
    { input: name, shape, length: data.length },
  )
}

function checkType(
  name: string,
  { dtype, shape }: TensorType,
  fed: Tensor,
  sizes: Map<string, { readonly size: number; readonly input: string }>,
): void {
  const fits = fed.dtype === dtype && (!shape || shape.length === fed.shape.length)
  const details = { input: name, expected: { dtype, shape }, actual: { dtype: fed.dtype, shape: fed.shape } }
  const found = `${fed.dtype}${formatShape(fed.shape)}`
  if (!fits || shape?.some((dim, axis) => typeof dim === 'number' && dim !== fed.shape[axis])) {
    throw new SinterError(
      'invalid-argument',
      `The input '${name}' wants ${formatType({ dtype, shape })}, but was fed ${found}.`,
      details,
    )
  }
  shape?.forEach((dim, axis) => {
    if (typeof dim === 'number' || dim === '') return
    const size = fed.shape[axis]!
    const known = sizes.get(dim)
    if (!known) sizes.set(dim, { size, input: name })
    else if (known.size !== size)
      throw new SinterError(
        'invalid-argument',
        `The dimension ${dim} is ${known.size} in '${known.input}' but ${size} in '${name}' (fed ${found}).`,
        details,
      )
  })
}

function refuse(input: string, message: string, inputs: readonly Value[]): never {
  throw new SinterError('invalid-argument', message, { input, inputs: inputs.map(({ name }) => name) })
}

function list(values: readonly Value[]): string {
  return values.length === 0 ? 'none' : values.map(({ name, type }) => `'${name}' ${formatType(type)}`).join(', ')
}
