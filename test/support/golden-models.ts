import { readFileSync } from 'node:fs'
import type { DType } from '../../src/base/dtype.ts'
import { fromNumbers, type Tensor, tensor } from '../../src/base/tensor.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { decode } from '../../src/onnx/decode.ts'

/** A model that another program wrote, with what it is fed and what came out there. */
export interface GoldenModel {
  readonly name: string
  graph(): Graph
  readonly feeds: Readonly<Record<string, Tensor>>
  /** Sequences are left out. */
  readonly results: Readonly<Record<string, Tensor>>
}

interface WrittenTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: readonly (number | string)[]
}

type Written = Readonly<Record<string, WrittenTensor | readonly unknown[]>>

/** The models of a folder under test/fixtures/goldens. */
export function goldenModels(folder: string): readonly GoldenModel[] {
  const path = (file: string) => new URL(`../fixtures/goldens/${folder}/${file}`, import.meta.url)
  const { models } = JSON.parse(readFileSync(path('goldens.json'), 'utf8')) as {
    models: Readonly<Record<string, { readonly feeds: Written; readonly results: Written }>>
  }
  return Object.entries(models).map(([name, { feeds, results }]) => ({
    name,
    graph: () => decode(new Uint8Array(readFileSync(path(`${name}.onnx`)))),
    feeds: tensorsOf(feeds),
    results: tensorsOf(results),
  }))
}

function tensorsOf(written: Written): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    Object.entries(written).flatMap(([name, value]) => ('dtype' in value ? [[name, tensorOf(value)]] : [])),
  )
}

function tensorOf({ dtype, shape, data }: WrittenTensor): Tensor {
  return dtype === 'string'
    ? tensor('string', shape, data as string[])
    : fromNumbers(dtype, shape, data as readonly number[])
}
