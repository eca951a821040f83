import { numbers } from '../../base/tensor.ts'
import type { Ref } from '../../ops/build.ts'
import { movesFirst } from '../../ops/kinds.ts'
import { keyOf } from '../../ops/spec.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'

/** Where recurrent layers take their states: `initial_h`, and `initial_c` of an LSTM. */
const states = [5, 6]

/** Constants of more elements are no states that somebody would have written out; looking through them would take time. */
const most = 1 << 20

/** A recurrent layer that begins with zeros begins so by itself; exporters make them for each batch size. */
export const dropZeroStates = rule({
  name: 'drop-zero-states',
  match: ({ op, rest, either }) =>
    either(...(['LSTM', 'GRU', 'RNN'] as const).map(name => op[name]([rest('inputs')]).as('layer'))),
  replace({ inputs, layer }, tools) {
    const kept = inputs.map((ref, i) => (states.includes(i) && isZero(ref, tools) ? '' : ref))
    if (kept.every((ref, i) => ref === inputs[i]))
      return tools.decline('it is given no states that are known to be zeros')
    const { node, type, stated } = layer
    return tools.op.many(
      type,
      node.outputs.length,
      kept.map(ref => ref || null),
      stated,
    )
  },
})

/** Whether all elements of a value are zeros whatever the graph is fed. */
function isZero(ref: Ref, tools: Tools): boolean {
  for (let at = ref; at !== ''; ) {
    const constant = tools.constant(at)
    if (constant) {
      const { shape } = constant
      return shape.reduce((a, b) => a * b, 1) <= most && Array.prototype.every.call(numbers(constant), v => v === 0)
    }
    const node = tools.producer(at)
    if (!node) return false
    const key = keyOf(node)
    if (key === 'ConstantOfShape') {
      const value = node.attributes.value
      return value === undefined || (value.type === 'tensor' && Number(numbers(value.value)[0]) === 0)
    }
    if (!movesFirst(node)) return false
    at = node.inputs[0] ?? ''
  }
  return false
}
