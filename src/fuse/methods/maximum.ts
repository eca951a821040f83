import { combineMethod } from '../combine.ts'
import { normalizeRows, normalizeRowsOf } from './rows.ts'

/** Each class as probable as the member that believes in it most holds it to be, scaled to sum to 1. */
export const maximum = combineMethod({
  name: 'maximum',
  graph: (op, members) => normalizeRows(op, op.Max(members)),
  arrays(members, classes) {
    const most = Float32Array.from(members[0]!)
    for (const member of members) for (let i = 0; i < most.length; i++) most[i] = Math.max(most[i]!, member[i]!)
    return normalizeRowsOf(most, classes)
  },
})
