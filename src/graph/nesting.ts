import { SinterError } from '../base/errors.ts'
import { type Body, bodiesOf } from './graph.ts'

/** Bodies inside of bodies, as deep as a file can hold them: protobuf's readers follow a message for 100 levels. */
const deepestNesting = 32

const fine = new WeakSet<Body>()

/**
 * Refuses bodies nested deeper than a file can hold, which would end whatever walks into them.
 * @throws SinterError `not-supported`.
 */
export function assertNesting(body: Body): void {
  if (fine.has(body)) return
  let level: readonly Body[] = [body]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepestNesting)
      throw new SinterError(
        'not-supported',
        `The graph '${body.name}' has bodies nested deeper than ${deepestNesting} levels, which no file can hold.`,
        { depth },
      )
    level = level.flatMap(({ nodes }) => nodes.flatMap(node => (bodiesOf(node).length > 0 ? bodiesOf(node) : [])))
  }
  fine.add(body)
}
