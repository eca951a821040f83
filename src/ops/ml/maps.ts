import type { DType } from '../../base/dtype.ts'
import type { ValueType } from '../../base/shape.ts'
import { free, no, operator } from '../operator.ts'

// Operators on maps, of which only the types are followed.

const onMaps = {
  gradient: no('maps hold labels, not numbers that gradients flow through'),
  coupling: no('maps have keys, not axes'),
  cost: free,
  evaluate: no('maps are no tensors'),
  accepts: 'any',
} as const

const castTypes: Readonly<Record<string, DType>> = { TO_FLOAT: 'float32', TO_STRING: 'string', TO_INT64: 'int64' }

export const castMap = operator('ai.onnx.ml.CastMap', {
  ...onMaps,
  infer: ({ attributes: { cast_to: to, map_form: form, max_map: most } }) => [
    { dtype: castTypes[to] ?? 'float32', shape: [1, form === 'SPARSE' ? most : ''] },
  ],
})

export const dictVectorizer = operator('ai.onnx.ml.DictVectorizer', {
  ...onMaps,
  infer: ({ attributes: { int64_vocabulary: integers = [], string_vocabulary: texts = [] }, inputTypes: [map] }) => {
    const value = mappedType(map)
    return [value && { dtype: value, shape: [1, integers.length || texts.length] }]
  },
})

function mappedType(type: ValueType | undefined): DType | undefined {
  return type && 'key' in type && 'dtype' in type.value ? type.value.dtype : undefined
}

export const zipMap = operator('ai.onnx.ml.ZipMap', {
  ...onMaps,
  infer: ({ attributes: { classlabels_strings: texts } }) => [
    { sequence: { key: texts?.length ? 'string' : 'int64', value: { dtype: 'float32', shape: [] } } },
  ],
})
