import { SinterError } from '../base/errors.ts'
import { random } from '../base/random.ts'
import type { Shape, TensorType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { edit } from '../graph/edit.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { builder, type Ref } from '../ops/build.ts'
import { typeOfConstant } from '../ops/contents.ts'
import { infer, scopeOf } from '../read/infer.ts'
import { type Layers, layersOf } from './layers.ts'
import { rootModule } from './module.ts'
import { nameOutputs } from './name-outputs.ts'

export interface DefineOptions {
  /** Of the parameters' first values. */
  readonly seed: number
  /** The graph's name; `network` if left out. */
  readonly name?: string
}

/** float32 of a shape; a dimension by name (`'N'`) is any size. */
export function f32(shape: Shape): TensorType {
  return { dtype: 'float32', shape }
}

/** int64 of a shape, as indices and labels are. */
export function i64(shape: Shape): TensorType {
  return { dtype: 'int64', shape }
}

/**
 * Writes a network down as a graph: inputs by name and type, and a body that applies layers to them and returns the
 * outputs by name. Parameters become initializers with freshly drawn values.
 * @throws SinterError `invalid-argument` if a layer does not fit what it is applied to, or a name is used twice.
 */
export function define<Input extends string>(
  inputs: Readonly<Record<Input, TensorType>>,
  body: (refs: Readonly<Record<Input, Ref>>, nn: Layers) => Readonly<Record<string, Ref>>,
  { seed, name = 'network' }: DefineOptions,
): Graph {
  if (!Number.isSafeInteger(seed))
    throw new SinterError('invalid-argument', `The seed must be a whole number, not ${seed}.`, { seed })
  const names = Object.keys(inputs) as Input[]
  const empty: Graph = { ...emptyGraph(name), inputs: names.map(input => ({ name: input, type: inputs[input] })) }
  return edit(empty, draft => {
    const parameters = new Map<string, Tensor>()
    const around = scopeOf(empty, infer(empty))
    const op = builder(draft, {
      ...around,
      type: value => {
        const parameter = parameters.get(value)
        return parameter ? typeOfConstant(parameter) : around.type(value)
      },
      constant: value => parameters.get(value) ?? around.constant(value),
    })
    const module = rootModule(op, random(seed), {
      add(parameter, value) {
        if (draft.fresh(parameter) !== parameter)
          throw new SinterError('invalid-argument', `'${parameter}' names a value already.`, { parameter })
        draft.initializers.set(parameter, value)
        parameters.set(parameter, value)
      },
    })
    const refs = Object.fromEntries<Ref>(names.map(input => [input, input])) as Record<Input, Ref>
    nameOutputs(draft, op, body(refs, layersOf(module)))
  })
}
