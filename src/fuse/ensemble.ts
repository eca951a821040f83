import { isFloat } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { type Dim, formatType, isTensorType, type ValueType } from '../base/shape.ts'
import { dropUnused } from '../graph/edit.ts'
import { type Graph, requiredInputs } from '../graph/graph.ts'
import { merge, prefix } from '../graph/merge.ts'
import { renameValues } from '../graph/rename.ts'
import type { Ops, Ref } from '../ops/build.ts'
import { extend } from '../read/extend.ts'
import { infer } from '../read/infer.ts'
import { shareEqual } from '../rewrite/share-equal.ts'
import type { Combine } from './combine.ts'
import { cast } from './methods/rows.ts'

export interface EnsembleOptions {
  /** What messages and the metadata call the members; `m0`, `m1`, ... if left out. */
  readonly names?: readonly string[]
  /**
   * The members' output to combine, [N, C]. `probabilities` unless told; `logits` are put through a softmax first.
   */
  readonly output?: 'probabilities' | 'logits'
  /** The graph's name; `ensemble` if left out. */
  readonly name?: string
}

// Members of one shape are not joined into grouped convolutions: on onnxruntime's CPU kernels that takes 0.87 to 0.98 of
// the time for one image, but 1.0 to 1.3 for 64 (three to five small networks, one thread).

/**
 * Several classifiers as ONE graph, itself a classifier: inputs of the same name are shared, what members compute alike
 * (the same preprocessing, a common trunk) is computed once, and `combine` joins their probabilities. Outputs:
 * `probabilities` float32 [N, C] and `label` int64 [N], the most probable class, the first of equals. The members' other
 * outputs go; the values of member i are called `m<i>/...`. Metadata that all members share stays, with
 * `sinter.ensemble`, { method, members, weights } as JSON.
 * @throws SinterError `invalid-argument`, naming the members, if one lacks the output or they do not fit together in
 * classes or inputs. `not-supported` if their operator sets differ.
 */
export function ensemble(members: readonly Graph[], combine: Combine, options: EnsembleOptions = {}): Graph {
  const { names = members.map((_, i) => `m${i}`), output = 'probabilities', name = 'ensemble' } = options
  checkMembers(members, names, output)
  const parts = members.map((member, i) => prefix(onlyOutput(member, output), `m${i}/`))
  const merged = merge(parts, names)
  const made = { probabilities: '', label: '' }
  const combined = extend(merged, (ops, draft) => {
    const op = ops.within('combine/')
    const all = merged.outputs.map(value => asProbabilities(op, value.name, output))
    const { shape } = op.type(all[0]!)
    made.probabilities = combine(op, all)
    made.label = op.ArgMax([made.probabilities], { axis: 1, keepdims: 0 })
    draft.outputs.splice(
      0,
      draft.outputs.length,
      { name: made.probabilities, type: { dtype: 'float32', shape } },
      { name: made.label, type: { dtype: 'int64', shape: [shape![0]!] } },
    )
  })
  checkResult(combined, made.probabilities)
  const classes = members.map(member => member.metadata.classes).find(text => text !== undefined)
  const { method = combine.name || 'custom', weights } = combine
  const metadata = {
    ...sharedMetadata(members),
    // A member that does not name its classes has those of the others.
    ...(classes === undefined ? {} : { classes }),
    'sinter.ensemble': JSON.stringify({ method, members: names, ...(weights ? { weights } : {}) }),
  }
  return { ...shareEqual(nameOutputs(combined, made)), name, metadata }
}

function checkMembers(members: readonly Graph[], names: readonly string[], output: string): void {
  if (members.length === 0) throw new SinterError('invalid-argument', 'An ensemble needs at least one member.')
  if (names.length !== members.length) {
    const message = `There are ${names.length} names for ${members.length} members; give each member one.`
    throw new SinterError('invalid-argument', message, { names, members: members.length })
  }
  const classes = members.map((member, i) => classCount(member, names[i]!, output))
  const odd = classes.findIndex(count => count !== classes[0])
  if (odd >= 0) {
    const message = `${names[0]} tells ${classes[0]} classes apart and ${names[odd]} ${classes[odd]}; members must know the same classes.`
    throw new SinterError('invalid-argument', message, { members: names, classes })
  }
  const labels = members.map(member => member.metadata.classes)
  const stated = labels.findIndex(text => text !== undefined)
  const other = labels.findIndex(text => text !== undefined && text !== labels[stated])
  if (other >= 0) {
    const message = `${names[stated]} has the classes ${labels[stated]}, but ${names[other]} ${labels[other]}; their order must be the same too.`
    throw new SinterError('invalid-argument', message, { members: [names[stated], names[other]] })
  }
}

function classCount(member: Graph, name: string, output: string): number {
  const value = member.outputs.find(one => one.name === output)
  if (!value) {
    const found = member.outputs.map(one => one.name)
    throw new SinterError(
      'invalid-argument',
      `${name} has no output '${output}' but ${found.join(', ')}; give it a classifier head, or name another output.`,
      { member: name, output, outputs: found },
    )
  }
  const type = infer(member).get(output) ?? value.type
  const classes = isTensorType(type) && isFloat(type.dtype) && type.shape?.length === 2 ? type.shape[1] : undefined
  if (typeof classes === 'number') return classes
  throw new SinterError(
    'invalid-argument',
    `'${output}' of ${name} is ${formatType(type)}; a classifier's is float32[N,C] with a fixed number of classes C.`,
    { member: name, output },
  )
}

/** A rule of the caller's own may give anything; what is stated of the output must be true. */
function checkResult(combined: Graph, probabilities: Ref): void {
  const stated = combined.outputs[0]!.type
  const found = infer({ ...combined, outputs: [] }).get(probabilities)
  const classes = (type: ValueType | undefined) => (isTensorType(type) ? type.shape?.[1] : undefined)
  const fits =
    !isTensorType(found) ||
    (found.dtype === 'float32' && (found.shape?.length ?? 2) === 2 && !differ(classes(found), classes(stated)))
  if (fits) return
  const message = `The combine rule gives ${formatType(found)}; it must give ${formatType(stated)}, as each member does.`
  throw new SinterError('invalid-argument', message, { found, expected: stated })
}

function differ(a: Dim | undefined, b: Dim | undefined): boolean {
  return typeof a === 'number' && typeof b === 'number' && a !== b
}

/** A member with nothing but the output to combine. Initializers that its caller could override are fixed. */
function onlyOutput(member: Graph, output: string): Graph {
  const outputs = member.outputs.filter(value => value.name === output)
  return dropUnused({ ...member, inputs: requiredInputs(member), outputs })
}

function asProbabilities(op: Ops, ref: Ref, output: string): Ref {
  const single = op.type(ref).dtype === 'float32' ? ref : cast(op, ref, 'float32')
  return output === 'logits' ? op.Softmax([single], { axis: 1 }) : single
}

function nameOutputs(graph: Graph, made: Readonly<Record<string, Ref>>): Graph {
  for (const name of Object.keys(made)) {
    if (!graph.inputs.some(value => value.name === name)) continue
    const message = `The members have an input '${name}', which is what an ensemble's output is called; rename it.`
    throw new SinterError('invalid-argument', message, { input: name })
  }
  const names = new Map(Object.entries(made).map(([name, ref]) => [ref, name]))
  return renameValues(graph, name => names.get(name) ?? name)
}

/** Entries that every member has alike. */
function sharedMetadata([first, ...others]: readonly Graph[]): Readonly<Record<string, string>> {
  const entries = Object.entries(first!.metadata)
  return Object.fromEntries(entries.filter(([key, value]) => others.every(({ metadata }) => metadata[key] === value)))
}
