import type { Node } from '../../graph/graph.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import { keyOf } from '../../ops/spec.ts'
import type { Found, Pattern, Vocabulary } from '../../rewrite/pattern.ts'
import { type Replacement, rule, type Tools } from '../../rewrite/rule.ts'
import type { Settings } from '../settings.ts'
import { is, isClosed, numberOf, type Polynomial, polynomialIn } from './polynomial.ts'

/** Functions that activations are made around. */
type Inner = keyof typeof forms

/** A value at most some sums and products below a node of one of those. */
function below(vocabulary: Vocabulary, inners: readonly Inner[], steps: number): Pattern<{ readonly inner: Found }> {
  const { op, any, rest, either } = vocabulary
  const inner = either(...inners.map(name => op[name]([rest('inputs')]).as('inner')))
  if (steps === 0) return inner
  const next = below(vocabulary, inners, steps - 1)
  return either(inner, op.Mul([next, any()]), op.Add([next, any()]), op.Div([next, any()]))
}

interface Candidate {
  readonly x: Ref
  /** What the whole is called. */
  readonly end: Ref
  /** The node inside, say Tanh, and what goes into it as a polynomial in x. */
  readonly inner: Node
  readonly argument: Polynomial
  /** The whole as a polynomial in x and in what comes out of the node inside. */
  readonly whole: Polynomial
}

/** How to build what was recognized; undefined where the formula is not the one looked for. */
type Made = ((op: Ops) => Ref) | undefined

/**
 * Activations that are products and sums around one function, all of one value, whatever the order of their factors:
 * compared as polynomials in that value and in what comes out of the function.
 */
export const recognizeActivation = ({ opset }: Pick<Settings, 'opset'>) =>
  rule({
    name: 'recognize-activation',
    match(vocabulary) {
      const { op, any, either } = vocabulary
      const inners = (Object.keys(forms) as Inner[]).filter(inner => forms[inner][0] <= opset)
      const value = below(vocabulary, inners, 2)
      return either(
        op.Mul([value, any()]).as('root'),
        op.Div([value, any()]).as('root'),
        op.Add([value, any()]).as('root'),
      )
    },
    replace({ inner, root }, tools): Replacement {
      const [end] = root.node.outputs as readonly [Ref]
      const [into, out] = [inner.node.inputs[0]!, inner.node.outputs[0]!]
      const recognized = forms[inner.type as Inner][1]
      let reason = 'it is no known function of one value'
      for (const x of candidates(into, tools)) {
        const whole = polynomialIn(end, x, out, tools)
        const argument = whole && polynomialIn(into, x, undefined, tools)
        if (!argument) continue
        const found = { x, end, inner: inner.node, argument: argument.polynomial, whole: whole.polynomial }
        const make = recognized(found, tools)
        if (!make) continue
        if (isClosed(new Set([...whole.nodes, ...argument.nodes, inner.node]), end, tools)) return make(tools.op)
        reason = 'something else reads a part of it'
      }
      return tools.decline(reason)
    },
  })

/** Values that what goes into a node may be a polynomial of, those farthest from it first: they leave the fewest nodes. */
function candidates(ref: Ref, tools: Tools): readonly Ref[] {
  const found = new Set([ref])
  for (const value of found) {
    const node = tools.producer(value)
    if (!node || found.size > 8 || !['Mul', 'Add', 'Sub', 'Div', 'Pow', 'Neg'].includes(keyOf(node))) continue
    for (const input of node.inputs) if (numberOf(input, tools) === undefined) found.add(input)
  }
  return [...found].reverse()
}

/** x (1 + erf(x / sqrt 2)) / 2. onnxruntime fuses this form too: the same time, four nodes fewer. */
function gelu({ x, argument, whole }: Candidate): Made {
  if (!is(argument, { '1,0': Math.SQRT1_2 }, 1e-4)) return undefined
  return is(whole, { '1,0': 0.5, '1,1': 0.5 }) ? op => op.Gelu([x]) : undefined
}

const cubic = (scale: number) => {
  const first = scale * Math.sqrt(2 / Math.PI)
  return { '1,0': first, '3,0': first * 0.044715 }
}

/** x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 (Hendrycks and Gimpel, 2016). 0.4 to 0.8 of the time. */
function tanhGelu({ x, argument, whole }: Candidate): Made {
  if (!is(argument, cubic(1), 1e-4)) return undefined
  return is(whole, { '1,0': 0.5, '1,1': 0.5 }) ? op => op.Gelu([x], { approximate: 'tanh' }) : undefined
}

/** The same, by (1 + tanh(u)) / 2 = sigmoid(2 u). */
function sigmoidGelu({ x, argument, whole }: Candidate): Made {
  if (!is(argument, cubic(2), 1e-4)) return undefined
  return is(whole, { '1,1': 1 }) ? op => op.Gelu([x], { approximate: 'tanh' }) : undefined
}

/**
 * clip(a x + b, 0, c) / c is a HardSigmoid, and x times it with a / c = 1/6, b / c = 1/2 is a HardSwish; times a number
 * where it is not divided by c. 0.5 to 0.9 of the time.
 */
function hardActivation({ x, end, inner, argument, whole }: Candidate, tools: Tools): Made {
  const [low, high] = [1, 2].map(i => (inner.inputs[i] ? numberOf(inner.inputs[i]!, tools) : undefined))
  const [alpha = 0, beta = 0] = [argument.get('1,0'), argument.get('0,0')]
  if (low !== 0 || high === undefined || high <= 0 || alpha === 0) return undefined
  if (!is(argument, { '1,0': alpha, '0,0': beta })) return undefined
  const [plain, gated] = [whole.get('0,1') ?? 0, whole.get('1,1') ?? 0]
  const attributes = { alpha: alpha / high, beta: beta / high }
  if (plain !== 0 && is(whole, { '0,1': plain })) {
    return close(plain * high, 1) ? op => op.HardSigmoid([x], attributes) : undefined
  }
  if (gated === 0 || !is(whole, { '1,1': gated })) return undefined
  const swish = close(attributes.alpha, 1 / 6) && close(attributes.beta, 0.5)
  const scale = gated * high
  if (close(scale, 1)) return swish ? op => op.HardSwish([x]) : op => op.Mul([x, op.HardSigmoid([x], attributes)])
  const dtype = tools.type(x)?.dtype
  // A number that follows may yet make it whole.
  if (!swish || dtype === undefined || isScaled(end, tools)) return undefined
  return op => op.Mul([op.HardSwish([x]), op.scalar(scale, dtype)])
}

/** x times HardSigmoid(x) with slope 1/6 and offset 1/2, which is how engines compute a HardSwish. */
function hardSwish({ x, inner, argument, whole }: Candidate, tools: Tools): Made {
  const { alpha, beta } = tools.attributes(inner) as { alpha: number; beta: number }
  if (!is(argument, { '1,0': 1 }) || !close(alpha, 1 / 6) || !close(beta, 0.5)) return undefined
  return is(whole, { '1,1': 1 }) ? op => op.HardSwish([x]) : undefined
}

/** What is made around each function, and the opset that first has it. */
const forms = {
  Erf: [20, gelu],
  Tanh: [20, tanhGelu],
  Sigmoid: [20, sigmoidGelu],
  Clip: [14, hardActivation],
  HardSigmoid: [14, hardSwish],
} as const

/** x tanh(softplus(x)), which engines take apart again: the same time, two nodes fewer. */
export const recognizeMish = rule({
  name: 'recognize-mish',
  match: ({ op, any }) => op.Mul([any('x'), op.Tanh([op.Softplus([any('x')]).once()]).once()]),
  replace: ({ x }, { op }) => op.Mish([x]),
})

function close(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-5 * Math.abs(b)
}

/** Whether all that reads a value is one product or quotient with a number. */
function isScaled(ref: Ref, tools: Tools): boolean {
  const [reader, ...more] = tools.readers(ref)
  if (!reader || more.length > 0 || tools.uses(ref) !== 1) return false
  const key = keyOf(reader)
  return (key === 'Mul' || key === 'Div') && reader.inputs.some(input => numberOf(input, tools) !== undefined)
}
