import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { WireType } from '@bufbuild/protobuf/wire'
import { numberLists } from './schema.ts'

/** What is wrong with bytes that should be a message: `where` is a path such as `graph.node[3].attribute[0]`, '' at the top. */
export interface WireFault {
  readonly where: string
  readonly offset: number
  readonly problem: string
}

export interface WireReport {
  /** The first thing that is wrong; undefined if nothing is. */
  readonly fault: WireFault | undefined
  /** Estimated bytes of memory that the messages right inside take, by field and in order. */
  readonly weights: ReadonlyMap<string, readonly number[]>
}

/** Messages inside of messages, as deep as protobuf's own readers go. */
const maxDepth = 100

/** Bytes of memory that the objects made from a file may take; the largest models need a tenth. Tensors' bytes are not counted. */
export const objectBudget = 2 ** 30

/** Longer texts all have one hash in V8, so that a map of them is searched one by one. No name is that long. */
const maxName = 16_000
const longTexts: ReadonlySet<string> = new Set(['doc_string', 'value'])

/**
 * Walks through a serialized message without building anything. The protobuf library takes nested lengths on trust,
 * ignores wire types and makes an object for every two bytes that ask for one; where this walk finds no fault, all of
 * that is safe. Costs time by the number of fields, not by the size of tensors.
 */
export function inspectWire(schema: DescMessage, bytes: Uint8Array): WireReport {
  const walk = new Walk(bytes)
  const { weights } = walk
  try {
    walk.message(tableOf(schema), bytes.length)
    return { fault: undefined, weights }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { fault: { where: walk.where(), offset: walk.position, problem: error.message }, weights }
  }
}

const unknownWeight = 160

class Fault extends Error {}

interface Field {
  readonly name: string
  readonly repeated: boolean
  readonly wire: WireType
  readonly child: DescMessage | undefined
  readonly text: boolean
  /** Estimated bytes of memory that one occurrence takes. */
  readonly weight: number
  /** The same for one element of a packed list. */
  readonly elementWeight: number
}

interface Table {
  readonly fields: ReadonlyMap<number, Field>
  readonly weight: number
}

const tables = new WeakMap<DescMessage, Table>()

function tableOf(schema: DescMessage): Table {
  const known = tables.get(schema)
  if (known) return known
  const lists = schema.fields.filter(field => field.fieldKind === 'list').length
  const table = { fields: new Map(schema.fields.map(f => [f.number, fieldOf(f)])), weight: 160 + 56 * lists }
  tables.set(schema, table)
  return table
}

function fieldOf(field: DescField): Field {
  const { scalar } = field
  const wire =
    field.message || scalar === ScalarType.STRING || scalar === ScalarType.BYTES
      ? WireType.LengthDelimited
      : scalar === ScalarType.FLOAT
        ? WireType.Bit32
        : scalar === ScalarType.DOUBLE
          ? WireType.Bit64
          : WireType.Varint
  const number = scalar === ScalarType.INT64 || scalar === ScalarType.UINT64 ? 32 : 8
  // A tensor's lists of numbers stay bytes, piece by piece (schema.ts).
  const isTensorList = Object.hasOwn(numberLists, field.name)
  return {
    name: field.name,
    repeated: field.fieldKind === 'list',
    wire,
    child: field.message,
    text: scalar === ScalarType.STRING,
    weight: field.message ? 0 : isTensorList ? unknownWeight : wire === WireType.LengthDelimited ? 100 : number,
    elementWeight: isTensorList ? 0 : number,
  }
}

class Walk {
  position = 0
  readonly weights = new Map<string, number[]>()
  private readonly bytes: Uint8Array
  private readonly frames: { readonly table: Table; readonly start: number; field: Field | undefined; from: number }[] =
    []
  private weight = 0
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true })

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  message(table: Table, end: number): void {
    if (this.frames.length >= maxDepth) throw new Fault(`is nested deeper than ${maxDepth} levels`)
    const before = this.weight
    this.charge(table.weight)
    const frame = { table, start: this.position, field: undefined as Field | undefined, from: this.position }
    this.frames.push(frame)
    while (this.position < end) {
      frame.field = undefined
      frame.from = this.position
      const tag = this.varint(end, 5)
      const number = Math.floor(tag / 8)
      const wire = tag % 8
      if (number === 0 || tag > 0xffffffff) throw new Fault('has bytes that are no field of an ONNX file')
      const field = table.fields.get(number)
      frame.field = field
      if (field) this.field(field, wire, end)
      else {
        this.charge(unknownWeight)
        this.skip(wire, number, end, maxDepth - this.frames.length)
      }
    }
    this.frames.pop()
    if (this.frames.length === 1) this.note(this.frames[0]!.field!.name, this.weight - before)
  }

  private note(field: string, weight: number): void {
    const list = this.weights.get(field)
    if (list) list.push(weight)
    else this.weights.set(field, [weight])
  }

  /** Where the walk stands, for messages. Positions in lists are counted only now. */
  where(): string {
    const parts = this.frames.flatMap(({ table, start, field, from }) => {
      if (!field) return []
      return [field.repeated ? `${field.name}[${this.count(table, field, start, from)}]` : field.name]
    })
    return parts.join('.')
  }

  private count(table: Table, field: Field, start: number, end: number): number {
    const stopped = this.position
    let found = 0
    for (this.position = start; this.position < end; ) {
      const tag = this.varint(end, 5)
      if (table.fields.get(Math.floor(tag / 8)) === field) found++
      this.skip(tag % 8, Math.floor(tag / 8), end, maxDepth)
    }
    this.position = stopped
    return found
  }

  private field(field: Field, wire: number, end: number): void {
    if (wire === WireType.LengthDelimited && (wire === field.wire || field.repeated)) {
      const stop = this.length(end)
      if (wire !== field.wire) this.packed(field, stop)
      else if (field.child) this.message(tableOf(field.child), stop)
      else this.opaque(field, stop)
    } else if (wire === field.wire) {
      this.charge(field.weight)
      this.skip(wire, 0, end, 0)
    } else throw new Fault('is not written the way that ONNX writes it')
  }

  private opaque(field: Field, end: number): void {
    this.charge(field.weight)
    if (field.text) {
      const length = end - this.position
      if (length > maxName && !longTexts.has(field.name)) throw new Fault(`has ${length} bytes, too long for a name`)
      this.charge(length)
      this.text(end)
    }
    this.position = end
  }

  /** A list of numbers in one piece: whole elements up to its end. */
  private packed(field: Field, end: number): void {
    const size = end - this.position
    const width = field.wire === WireType.Bit32 ? 4 : field.wire === WireType.Bit64 ? 8 : 1
    if (field.elementWeight === 0) this.charge(field.weight)
    const broken = width > 1 ? size % width !== 0 : size > 0 && this.bytes[end - 1]! > 0x7f
    if (broken) throw new Fault('ends in the middle of a number')
    if (width > 1) this.charge((size / width) * field.elementWeight)
    else {
      // A varint ends at each byte below 0x80; one that does not end within 10 bytes is none.
      for (let at = this.position, first = at; at < end; at++) {
        if (this.bytes[at]! > 0x7f) continue
        if (at - first >= 10) throw new Fault('has a number of more than 64 bits')
        first = at + 1
        this.charge(field.elementWeight)
      }
    }
    this.position = end
  }

  private text(end: number): void {
    for (let at = this.position; at < end; at++) {
      if (this.bytes[at]! < 0x80) continue
      try {
        this.utf8.decode(this.bytes.subarray(this.position, end))
      } catch {
        throw new Fault('is not valid UTF-8')
      }
      return
    }
  }

  private skip(wire: number, number: number, end: number, depth: number): void {
    if (wire === WireType.Varint) this.varint(end, 10)
    else if (wire === WireType.Bit64) this.advance(8, end)
    else if (wire === WireType.Bit32) this.advance(4, end)
    else if (wire === WireType.LengthDelimited) this.position = this.length(end)
    else if (wire === WireType.StartGroup && depth > 0) {
      for (let tag = this.varint(end, 5); tag !== number * 8 + WireType.EndGroup; tag = this.varint(end, 5)) {
        this.skip(tag % 8, Math.floor(tag / 8), end, depth - 1)
      }
    } else throw new Fault('has bytes that are no field of an ONNX file')
  }

  /** Reads a length and tells where what it measures ends. */
  private length(end: number): number {
    const size = this.varint(end, 5)
    if (size > end - this.position) throw new Fault(`claims ${size} bytes where ${end - this.position} are left`)
    return this.position + size
  }

  private advance(size: number, end: number): void {
    if (size > end - this.position) throw new Fault('ends in the middle of a number')
    this.position += size
  }

  /** The value is exact up to 2^35, which is enough for tags and lengths. */
  private varint(end: number, maxBytes: number): number {
    let value = 0
    for (let i = 0; i < maxBytes; i++) {
      if (this.position >= end) throw new Fault('ends in the middle of a number')
      const byte = this.bytes[this.position++]!
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return value
    }
    throw new Fault(maxBytes === 10 ? 'has a number of more than 64 bits' : 'has a tag or length of more than 32 bits')
  }

  private charge(weight: number): void {
    this.weight += weight
    if (this.weight > objectBudget)
      throw new Fault(
        `makes the model take more than ${objectBudget / 2 ** 20} MiB of memory besides its tensors' bytes`,
      )
  }
}
