import type { TypedArray } from './dtype.ts'
import type { Tensor } from './tensor.ts'

/** Whether two tensors are the same in type, shape and every bit. */
export function sameContent(a: Tensor, b: Tensor): boolean {
  if (a === b) return true
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length) return false
  if (a.shape.some((size, axis) => size !== b.shape[axis])) return false
  const [left, right] = [a.data, b.data]
  if (left === right) return true
  if (isText(left) || isText(right)) return isText(left) && isText(right) && left.every((text, i) => text === right[i])
  const bytes = !inWords(left) || !inWords(right)
  const [x, y] = [bitsOf(left, bytes), bitsOf(right, bytes)]
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false
  return true
}

/** Numbers tensors so that those with the same content, and only those, get the same number. */
export function contentIds(): (t: Tensor) => number {
  const buckets = new Map<string, { readonly tensor: Tensor; readonly id: number }[]>()
  const known = new WeakMap<Tensor, number>()
  let count = 0
  return t => {
    const before = known.get(t)
    if (before !== undefined) return before
    const key = sampleOf(t)
    const bucket = buckets.get(key) ?? []
    let entry = bucket.find(({ tensor }) => sameContent(tensor, t))
    if (!entry) {
      entry = { tensor: t, id: count++ }
      bucket.push(entry)
      buckets.set(key, bucket)
    }
    known.set(t, entry.id)
    return entry.id
  }
}

/** Type, shape and a few elements: enough to tell nearly all different tensors apart without reading them whole. */
function sampleOf({ dtype, shape, data }: Tensor): string {
  const step = Math.max(1, Math.floor(data.length / 8))
  const sample = Array.from({ length: Math.min(8, data.length) }, (_, i) => String(data[i * step]))
  return `${dtype}[${shape}]${sample}`
}

function isText(data: TypedArray | readonly string[]): data is readonly string[] {
  return Array.isArray(data)
}

/** Whether the bits can be looked at four bytes at a time. */
function inWords({ byteOffset, byteLength }: TypedArray): boolean {
  return byteOffset % 4 === 0 && byteLength % 4 === 0
}

function bitsOf({ buffer, byteOffset, byteLength }: TypedArray, bytes: boolean): Uint32Array | Uint8Array {
  return bytes ? new Uint8Array(buffer, byteOffset, byteLength) : new Uint32Array(buffer, byteOffset, byteLength / 4)
}
