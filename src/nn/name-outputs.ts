import { SinterError } from '../base/errors.ts'
import type { Draft } from '../graph/edit.ts'
import type { Ops, Ref } from '../ops/build.ts'

/**
 * Adds outputs to a draft. The node that makes a value makes it under the output's name from then on; a value that no
 * node makes, or that is an output already, is copied.
 * @throws SinterError `invalid-argument` if another value has the name.
 */
export function nameOutputs(draft: Draft, op: Ops, outputs: Readonly<Record<string, Ref>>): void {
  const renamed = new Map<Ref, string>(draft.outputs.map(({ name }) => [name, name]))
  for (const [name, ref] of Object.entries(outputs)) {
    if (draft.fresh(name) !== name)
      throw new SinterError('invalid-argument', `The output '${name}' has the name of another value.`, { output: name })
    draft.outputs.push({ name, type: op.type(ref) })
    const producer = renamed.has(ref) ? undefined : [...draft.nodes()].find(node => node.outputs.includes(ref))
    if (!producer) {
      draft.add({ op: 'Identity', name, inputs: [renamed.get(ref) ?? ref], outputs: [name] })
      continue
    }
    draft.replace(producer, { ...producer, outputs: producer.outputs.map(made => (made === ref ? name : made)) })
    draft.redirect(ref, name)
    renamed.set(ref, name)
  }
}
