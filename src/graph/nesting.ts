import { SinterError } from '../base/errors.ts'
import { type Body, bodiesOf } from './graph.ts'

/** Bodies inside of bodies, as deep as a file can hold them: protobuf's readers follow a message for 100 levels. */
const deepestNesting = 32

const fine = new WeakSet<Body>()

/** Whether bodies are nested deeper than a file can hold: whatever walks into them would run out of stack. */
export function nestsTooDeep(body: Body): boolean {
  if (fine.has(body)) return false
  let level: readonly Body[] = [body]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepestNesting) return true
    level = level.flatMap(({ nodes }) => nodes.flatMap(node => (bodiesOf(node).length > 0 ? bodiesOf(node) : [])))
  }
  fine.add(body)
  return false
}

export function tooDeep(body: Body): string {
  return `The graph '${body.name}' has bodies nested deeper than ${deepestNesting} levels, which no file can hold.`
}

/** @throws SinterError `not-supported` for bodies nested deeper than a file can hold. */
export function assertNesting(body: Body): void {
  if (nestsTooDeep(body)) throw new SinterError('not-supported', tooDeep(body), { deepest: deepestNesting })
}
