import { create, type DescField, type DescMessage, type Message, ScalarType, toBinary } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** From this size on a tensor's bytes are handed on as they are instead of through the protobuf library. */
const heavyBytes = 1024

/** The largest message that protobuf's readers take. */
export const maxMessageBytes = 2 ** 31 - 1

/**
 * Serializes a message as a list of pieces whose concatenation it is. Long byte fields are pieces of their own, by
 * reference: the protobuf library would copy each of them once for every message around it and again while its buffer
 * grows. Fields on the way to them are written after the others of their message, which means the same.
 */
export function serialize(
  schema: DescMessage,
  message: Message,
): { pieces: readonly Uint8Array[]; byteLength: number } {
  const pieces: Uint8Array[] = []
  const byteLength = new Serializer(pieces).message(schema, message)
  return { pieces, byteLength }
}

export function concatenate(pieces: readonly Uint8Array[], byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

type Fields = Readonly<Record<string, unknown>>

class Serializer {
  private readonly pieces: Uint8Array[]
  private readonly heavy = new Map<unknown, boolean>()

  constructor(pieces: Uint8Array[]) {
    this.pieces = pieces
  }

  /** Appends a message and tells how many bytes it took. */
  message(schema: DescMessage, message: Message): number {
    const fields = message as unknown as Fields
    const apart = fieldsWithBytes(schema).filter(field =>
      valuesOf(fields, field).some(value => this.isHeavy(field, value)),
    )
    if (apart.length === 0) return this.append(toBinary(schema, message))
    const others = Object.assign(create(schema), message, Object.fromEntries(apart.map(f => [f.localName, emptyOf(f)])))
    let size = this.append(toBinary(schema, others))
    for (const field of apart) size += this.field(schema, field, valuesOf(fields, field))
    return size
  }

  private field(schema: DescMessage, field: DescField, values: readonly unknown[]): number {
    let size = 0
    let light: unknown[] = []
    const flush = () => {
      if (light.length > 0) size += this.append(toBinary(schema, create(schema, { [field.localName]: light })))
      light = []
    }
    for (const value of values) {
      if (!this.isHeavy(field, value)) {
        light.push(value)
        continue
      }
      flush()
      const header = this.pieces.push(new Uint8Array(0)) - 1
      const length = field.message ? this.message(field.message, value as Message) : this.append(value as Uint8Array)
      if (length > maxMessageBytes) return Number.POSITIVE_INFINITY
      this.pieces[header] = new BinaryWriter().tag(field.number, WireType.LengthDelimited).uint32(length).finish()
      size += this.pieces[header].length + length
    }
    flush()
    return size
  }

  private append(piece: Uint8Array): number {
    this.pieces.push(piece)
    return piece.length
  }

  private isHeavy(field: DescField, value: unknown): boolean {
    if (value === undefined) return false
    if (value instanceof Uint8Array) return value.length >= heavyBytes
    const known = this.heavy.get(value)
    if (known !== undefined) return known
    const inner = fieldsWithBytes(field.message!)
    const heavy = inner.some(f => valuesOf(value as Fields, f).some(v => this.isHeavy(f, v)))
    this.heavy.set(value, heavy)
    return heavy
  }
}

/** A field's values, be it a list or not. */
function valuesOf(message: Fields, field: DescField): readonly unknown[] {
  const value = message[field.localName]
  return field.fieldKind === 'list' ? (value as unknown[]) : [value]
}

function emptyOf(field: DescField): [] | undefined {
  return field.fieldKind === 'list' ? [] : undefined
}

const paths = new WeakMap<DescMessage, readonly DescField[]>()

/** The fields of a kind of message that are bytes, or messages that have such fields in turn. */
function fieldsWithBytes(schema: DescMessage): readonly DescField[] {
  const known = paths.get(schema)
  if (known) return known
  const found = schema.fields.filter(field => leadsToBytes(field, new Set([schema])))
  paths.set(schema, found)
  return found
}

function leadsToBytes(field: DescField, around: ReadonlySet<DescMessage>): boolean {
  if (field.scalar !== undefined) return field.scalar === ScalarType.BYTES
  if (!field.message || field.oneof || around.has(field.message)) return false
  const inside = new Set([...around, field.message])
  return field.message.fields.some(inner => leadsToBytes(inner, inside))
}
