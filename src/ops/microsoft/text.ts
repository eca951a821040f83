import { fused } from './fused.ts'

/** Texts [...] to their words [..., most words], padded. */
export const tokenizer = fused('com.microsoft.Tokenizer', {
  infer: ({ inputs: [x] }) => [{ dtype: 'string', shape: x!.shape && [...x!.shape, ''] }],
})

export const murmurHash3 = fused('com.microsoft.MurmurHash3', {
  infer: ({ attributes: { positive }, inputs: [x] }) => [{ dtype: positive ? 'uint32' : 'int32', shape: x!.shape }],
})

/** Characters of words [..., characters] to vectors of words. */
export const wordConvEmbedding = fused('com.microsoft.WordConvEmbedding', {
  infer: ({ attributes: { embedding_size: width }, inputs: [words, w] }) => [
    {
      dtype: w!.dtype,
      shape: words!.shape && [...words!.shape.slice(0, -1), (width ?? 0) > 0 ? width! : (w!.shape?.[0] ?? '')],
    },
  ],
  cost: () => ({ macs: Number.NaN }),
})
