import { create, type DescField, type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf'
import { messageOf, SinterError } from '../base/errors.ts'
import type { Extra } from '../graph/graph.ts'
import { type StringStringEntryProto, StringStringEntryProtoSchema } from './generated/onnx_pb.ts'

type Fields<D extends DescMessage> = Exclude<keyof MessageShape<D>, '$typeName' | '$unknown'>

/**
 * What Sinter does not interpret of a message stays with the graph as a smaller message of the same kind, its *rest*.
 * Returns a function that makes a message's rest from all fields but those named, with `more` on top; undefined where
 * nothing is left. Fields that the format does not have are kept, but for those with an `interpretedNumber`.
 */
export function restOf<D extends DescMessage>(
  schema: D,
  interpreted: readonly Fields<D>[],
  interpretedNumber: (fieldNumber: number) => boolean = () => false,
) {
  const kept = schema.fields.filter(field => !interpreted.includes(localName(field) as Fields<D>)).map(localName)
  return (message: MessageShape<D>, more?: Partial<MessageShape<D>>): MessageShape<D> | undefined => {
    const set = kept.filter(name => isSet(message, name))
    const unknown = message.$unknown?.filter(field => !interpretedNumber(field.no)) ?? []
    if (set.length === 0 && unknown.length === 0 && !more) return undefined
    const rest = create(schema) as MessageShape<D> & Record<string, unknown>
    for (const name of set) Object.assign(rest, { [name]: (message as Record<string, unknown>)[name] })
    if (unknown.length > 0) rest.$unknown = unknown
    return Object.assign(rest, more)
  }
}

function localName(field: DescField): string {
  return field.oneof?.localName ?? field.localName
}

/** Explicitly empty texts count as not set. */
function isSet(message: object, name: string): boolean {
  const value = (message as Record<string, unknown>)[name]
  if (value === '' || value === undefined) return false
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object' && 'case' in value!) return value.case !== undefined
  return Object.hasOwn(message, name)
}

/** What a message carries beside the meaning, or undefined if that is nothing. */
export function extraOf<D extends DescMessage>(
  schema: D,
  message: { readonly docString?: string; readonly metadataProps?: readonly StringStringEntryProto[] },
  rest: MessageShape<D> | undefined,
): Extra | undefined {
  const { docString = '', metadataProps = [] } = message
  if (docString === '' && metadataProps.length === 0 && !rest) return undefined
  return {
    ...(docString !== '' && { doc: docString }),
    ...(metadataProps.length > 0 && { metadata: recordOf(metadataProps) }),
    ...(rest && { unknown: toBinary(schema, rest) }),
  }
}

/** The rest that `extraOf` put away, or an empty message: what encoding starts from. */
export function restored<D extends DescMessage>(schema: D, extra: Extra | undefined): MessageShape<D> {
  const message = extra?.unknown ? parse(schema, extra.unknown) : create(schema)
  const target = message as { docString?: string; metadataProps?: StringStringEntryProto[] }
  if (extra?.doc !== undefined) target.docString = extra.doc
  if (extra?.metadata) target.metadataProps = entriesOf(extra.metadata)
  return message
}

function parse<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(schema, bytes)
  } catch (error) {
    const message = `An extra's unknown fields are no ${schema.name}: ${messageOf(error)}. Keep them as they were read.`
    throw new SinterError('invalid-graph', message, { type: schema.name }, error)
  }
}

/** Key-value pairs as a record; of a key that stands twice, the last value. */
export function recordOf(entries: readonly StringStringEntryProto[]): Readonly<Record<string, string>> {
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]))
}

export function entriesOf(record: Readonly<Record<string, string>>): StringStringEntryProto[] {
  return Object.entries(record).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }))
}
