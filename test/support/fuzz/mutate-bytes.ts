import type { Random } from '../../../src/base/random.ts'

/** Changes a file's bytes the way that damage, or somebody who means harm, would. Always a fresh array. */
export function mutateBytes(bytes: Uint8Array, other: Uint8Array, draw: Random): Uint8Array {
  let changed: Uint8Array = new Uint8Array(bytes)
  const times = 1 + draw.integer(3)
  for (let i = 0; i < times; i++) {
    if (changed.length === 0) return changed
    changed = mutations[draw.integer(mutations.length)]!(changed, other, draw)
  }
  return changed
}

type Mutation = (bytes: Uint8Array, other: Uint8Array, draw: Random) => Uint8Array

const mutations: readonly Mutation[] = [
  flipBits,
  flipBits,
  truncate,
  damageField,
  damageField,
  spliceFields,
  spliceFields,
  repeatField,
  dropField,
  wrapField,
  copyRange,
]

function flipBits(bytes: Uint8Array, _: Uint8Array, draw: Random): Uint8Array {
  const times = 1 + draw.integer(8)
  for (let i = 0; i < times; i++) bytes[place(bytes, draw)]! ^= 1 << draw.integer(8)
  return bytes
}

function truncate(bytes: Uint8Array, _: Uint8Array, draw: Random): Uint8Array {
  return bytes.slice(0, draw.integer(bytes.length))
}

/** Writes an extreme number, a wrong length or broken text into a field that is found by walking through the message. */
function damageField(bytes: Uint8Array, _: Uint8Array, draw: Random): Uint8Array {
  const field = pick(fieldsOf(bytes, draw), draw)
  if (!field) return bytes
  const extremes = [0, 1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53]
  if (field.wire === 0) {
    const value = draw.integer(4) === 0 ? negative : varint(extremes[draw.integer(extremes.length)]!)
    return replaced(bytes, field.body, field.end, value)
  }
  if (field.wire !== 2) return flipBits(bytes, bytes, draw)
  if (draw.integer(3) === 0) return replaced(bytes, field.body, field.end, Uint8Array.of(0xff, 0xc3, 0x28, 0))
  const length = draw.integer(2) === 0 ? extremes[draw.integer(7)]! : field.end - field.body + draw.integer(5) - 2
  return replaced(bytes, field.start + 1, field.body, varint(Math.max(0, length)))
}

/** Puts a field of another file in the place of one of this file, mending the lengths around it. */
function spliceFields(bytes: Uint8Array, other: Uint8Array, draw: Random): Uint8Array {
  const donor = pick(fieldsOf(other, draw), draw)
  return donor ? exchange(bytes, draw, () => other.slice(donor.start, donor.end)) : bytes
}

function repeatField(bytes: Uint8Array, _: Uint8Array, draw: Random): Uint8Array {
  const times = 2 + draw.integer(4) ** 4
  return exchange(bytes, draw, field => {
    const once = bytes.subarray(field.start, field.end)
    const many = new Uint8Array(once.length * (once.length < 4096 ? times : 2))
    for (let at = 0; at < many.length; at += once.length) many.set(once, at)
    return many
  })
}

function dropField(bytes: Uint8Array, _: Uint8Array, draw: Random): Uint8Array {
  return exchange(bytes, draw, () => new Uint8Array(0))
}

/** Nests a message in itself, up to far deeper than any reader follows. */
function wrapField(bytes: Uint8Array, _: Uint8Array, draw: Random): Uint8Array {
  const levels = 1 + draw.integer(2) * draw.integer(400)
  return exchange(bytes, draw, field => {
    let inner: Uint8Array = bytes.slice(field.start, field.end)
    for (let i = 0; i < levels && inner.length < 100_000; i++)
      inner = join([bytes.subarray(field.start, field.start + 1), varint(inner.length), inner])
    return inner
  })
}

function copyRange(bytes: Uint8Array, other: Uint8Array, draw: Random): Uint8Array {
  const from = place(other, draw)
  const piece = other.subarray(from, from + 1 + draw.integer(64))
  bytes.set(piece.subarray(0, bytes.length), Math.max(0, place(bytes, draw) - piece.length))
  return bytes
}

interface Field {
  readonly start: number
  readonly body: number
  readonly end: number
  readonly wire: number
  /** The fields around it, from the outside in. */
  readonly around: readonly Field[]
}

/** Fields on one random way down into a message: that of a level, then those inside of one of them, and so on. */
function fieldsOf(bytes: Uint8Array, draw: Random): readonly Field[] {
  const found: Field[] = []
  let around: readonly Field[] = []
  let [start, end] = [0, bytes.length]
  for (let depth = 0; depth < 12; depth++) {
    const level = readLevel(bytes, start, end, around)
    if (level.length === 0) break
    found.push(...level.slice(0, 400))
    const messages = level.filter(({ wire, body, end: stop }) => wire === 2 && stop > body)
    const next = pick(messages, draw)
    if (!next) break
    around = [...around, next]
    ;[start, end] = [next.body, next.end]
  }
  return found
}

/** The fields right inside of a range; none if it is no message. */
function readLevel(bytes: Uint8Array, start: number, end: number, around: readonly Field[]): readonly Field[] {
  const fields: Field[] = []
  for (let at = start; at < end; ) {
    const from = at
    const [tag, afterTag] = readVarint(bytes, at, end)
    const wire = tag % 8
    let body = afterTag
    if (wire === 0) at = readVarint(bytes, afterTag, end)[1]
    else if (wire === 1) at = afterTag + 8
    else if (wire === 5) at = afterTag + 4
    else if (wire === 2) {
      const [length, afterLength] = readVarint(bytes, afterTag, end)
      body = afterLength
      at = afterLength + length
    } else return []
    if (tag < 8 || tag > 1000 || at > end || at <= from) return []
    fields.push({ start: from, body, end: at, wire, around })
  }
  return fields
}

function exchange(bytes: Uint8Array, draw: Random, content: (field: Field) => Uint8Array): Uint8Array {
  const field = pick(fieldsOf(bytes, draw), draw)
  if (!field) return bytes
  let made = content(field)
  let { start, end } = field
  // From the inside out, each message around gets its new length.
  for (const outer of [...field.around].reverse()) {
    made = join([bytes.subarray(outer.body, start), made, bytes.subarray(end, outer.end)])
    made = join([bytes.subarray(outer.start, outer.start + 1), varint(made.length), made])
    ;({ start, end } = outer)
  }
  return replaced(bytes, start, end, made)
}

function replaced(bytes: Uint8Array, start: number, end: number, by: Uint8Array): Uint8Array {
  return join([bytes.subarray(0, start), by, bytes.subarray(end)])
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** -1, as a varint of 64 bits. */
const negative = Uint8Array.of(...Array<number>(9).fill(0xff), 1)

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128)
  return Uint8Array.of(...bytes, value)
}

function readVarint(bytes: Uint8Array, at: number, end: number): readonly [value: number, next: number] {
  let value = 0
  for (let i = 0; i < 10 && at < end; i++) {
    const byte = bytes[at++]!
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return [value, at]
  }
  return [Number.POSITIVE_INFINITY, end + 1]
}

function place(bytes: Uint8Array, draw: Random): number {
  return draw.integer(Math.max(1, bytes.length))
}

function pick<T>(list: readonly T[], draw: Random): T | undefined {
  return list.length === 0 ? undefined : list[draw.integer(list.length)]
}
