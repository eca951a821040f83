import { messageOf, SinterError } from '../base/errors.ts'
import { type Dim, formatShape, formatType, isTensorType, type TensorType } from '../base/shape.ts'
import { scalar, type Tensor } from '../base/tensor.ts'
import { namesOf } from '../graph/edit.ts'
import { type Graph, only, requiredInputs, type Value } from '../graph/graph.ts'
import type { Ops, Ref } from '../ops/build.ts'
import { extend } from '../read/extend.ts'
import { infer, scopeOf } from '../read/infer.ts'
import { backward } from './backward.ts'
import { fuseBlocked, fuseEngine } from './blocked/fuse.ts'
import { lowerToBlocked } from './blocked/lower.ts'
import { expand } from './expand.ts'
import { type FormChoice, preferForms } from './forms.ts'
import type { Loss } from './losses.ts'
import { type Optimizer, scalarNames } from './optimizers.ts'
import { poolFirst } from './pool-first.ts'
import { emptySlab, join, pack, type Slab, type StateTensor, slabsOf, split, unpack } from './state.ts'
import { type TensorFilter, trainable } from './trainable.ts'
import { trainingForm } from './training-form.ts'

/** One step of training as a graph: data, target, learning rate and state in; loss, prediction and new state out. */
export interface TrainStep {
  readonly graph: Graph
  readonly batch: number
  /** The data inputs, by the names that the model gives them. */
  readonly data: readonly string[]
  readonly target: Value
  /** Rank-0 inputs: for `rate` and for what else the optimizer asks for. */
  readonly scalars: readonly { readonly name: string; readonly input: string }[]
  readonly loss: string
  readonly prediction: string
  readonly state: readonly StateTensor[]
  /** Points at which another formulation may be faster. */
  readonly choices: readonly FormChoice[]
}

/**
 * How tensors of images lie in memory: `portable` steps run wherever onnxruntime does; blocked ones on CPUs whose kernels
 * have blocks of that many channels, and about a third faster. It shows inside of the step only: parameters, state and
 * data are the same.
 */
export type Layout = 'portable' | { readonly block: 8 | 16 }

export interface TrainStepOptions {
  readonly loss: Loss
  readonly optimizer: Optimizer
  /** Rows in a batch: the step is compiled for exactly this many. */
  readonly batch: number
  /** Which output is the prediction; needed where there are several. */
  readonly prediction?: string
  /** Which parameters are trained; all by default (see `trainable`). */
  readonly trainable?: TensorFilter
  /** Which parameters weight decay applies to; by default those of rank 2 and more, so not biases and scales. */
  readonly decays?: TensorFilter
  /** Scales the gradient down to this global L2 norm where it is larger. */
  readonly clipNorm?: number
  /** `portable` if left out. */
  readonly layout?: Layout
  /** Preferred formulations, by the keys of `choices`. */
  readonly forms?: ReadonlyMap<string, string>
}

/**
 * Compiles a training step for a graph: its forward pass in training form, the loss, the gradients by reverse-mode
 * differentiation, and the optimizer's update, in operators that stock onnxruntime runs.
 * @throws SinterError `not-differentiable` if an operator on the way has no gradient; `not-supported` if shapes are not
 *   fixed once the batch size is, or if the loss depends on no parameter.
 */
export function trainStep(graph: Graph, options: TrainStepOptions): TrainStep {
  const { loss, optimizer, batch, layout = 'portable' } = options
  const prediction = predictionOf(graph, options.prediction)
  if (options.clipNorm !== undefined && !(options.clipNorm > 0))
    throw new SinterError('invalid-argument', `clipNorm must be above 0, not ${options.clipNorm}.`, {
      clipNorm: options.clipNorm,
    })
  const fixed = fixBatch(graph, batch)
  const candidates = trainable(fixed, options.trainable)
  const { graph: ordinary, updates } = trainingForm(poolFirst(fixed), candidates)
  const forward = layout === 'portable' ? ordinary : lowerToBlocked(ordinary, layout.block)
  const output = forward.outputs[prediction]!.name

  const statisticNames = new Set(updates.map(({ name }) => name))
  const { shape } = typeOf(forward, output)
  if (shape && shape[0] !== batch) {
    throw new SinterError(
      'not-supported',
      `The output '${output}' has the shape ${formatShape(shape)} for a batch of ${batch}: its first dimension must be the batch.`,
      { output, shape, batch },
    )
  }
  const own = ownNames(forward)
  const target: Value = { name: own('target'), type: loss.target(typeOf(forward, output)) }
  const wanted = learning(forward, output, loss, target, candidates).filter(name => !statisticNames.has(name))
  if (wanted.length === 0) {
    throw new SinterError(
      'not-supported',
      `The output '${graph.outputs[prediction]!.name}' depends on no parameter that could be trained.`,
    )
  }
  const decays = options.decays ?? ((_, value) => value.shape.length > 1)
  const initialOf = (name: string) => graph.initializers.get(name)!
  const named = (names: Iterable<string>) => [...names].map(name => [name, initialOf(name)] as const)
  const decaying = named(wanted).filter(entry => decays(...entry))
  const plain = named(wanted).filter(entry => !decays(...entry))
  const slabs = [
    ...slabsOf(own('state/parameters'), decaying).map(slab => ({ slab, decays: true })),
    ...slabsOf(own('state/parameters-plain'), plain).map(slab => ({ slab, decays: false })),
  ]
  const statistics = slabsOf(own('state/statistics'), named(statisticNames))

  const { graph: open, refs } = withState(forward, [...slabs.map(({ slab }) => slab), ...statistics])
  const scalars = scalarNames(optimizer).map(name => ({ name, input: own(`scalar/${name}`) }))
  const { dtype } = typeOf(open, output)
  const scalarInputs = scalars.map(({ input }): Value => ({ name: input, type: { dtype, shape: [] } }))
  const slotsOf = (slab: Slab) => optimizer.slots.map(slot => `${slab.name}/${slot}`)
  const slotInputs = slabs.flatMap(({ slab }) =>
    slotsOf(slab).map((name): Value => ({ name, type: { dtype: slab.dtype, shape: slab.shape } })),
  )
  const inputs: Graph = { ...open, inputs: [...open.inputs, target, ...scalarInputs, ...slotInputs] }

  const { graph: withLoss, name: lossName } = addLoss(inputs, output, loss, target)

  const choices = new Map<string, FormChoice>()
  const state: StateTensor[] = []
  const step = extend(withLoss, (op, draft) => {
    const gradients = backward({
      nodes: withLoss.nodes,
      op,
      scope: scopeOf(withLoss, infer(withLoss)),
      from: new Map([[lossName, 'one' as const]]),
      wrt: wanted.map(name => refs.get(name)!),
      forms: preferForms(options.forms ?? new Map(), choices),
    })
    const scalarRefs = Object.fromEntries(scalars.map(({ name, input }) => [name, input]))
    draft.outputs.length = 0
    draft.outputs.push({ name: lossName, type: op.type(lossName) }, { name: output, type: op.type(output) })
    const add = (slab: Slab, role: StateTensor['role'], input: string, next: Ref, initial: Tensor) => {
      draft.outputs.push({ name: next, type: op.type(next) })
      state.push({ input, output: next, initial, role, holds: slab.holds })
    }
    const update = op.within('update/')
    const joined = slabs.map(({ slab }) =>
      join(
        update,
        slab,
        slab.holds.map(({ name }) => gradients.get(refs.get(name)!)!),
      ),
    )
    const clipped = options.clipNorm === undefined ? joined : clip(update, joined, options.clipNorm)
    slabs.forEach(({ slab, decays: applies }, i) => {
      const slots = slotsOf(slab)
      const next = optimizer.build(update, {
        parameter: slab.name,
        gradient: clipped[i]!,
        slots,
        scalars: scalarRefs,
        decays: applies,
      })
      add(slab, 'parameter', slab.name, next.parameter, pack(slab, initialOf))
      slots.forEach((name, j) => {
        add(slab, 'optimizer', name, next.slots[j]!, emptySlab(slab))
      })
    })
    for (const slab of statistics) {
      const next = join(
        update,
        slab,
        slab.holds.map(({ name }) => updates.find(one => one.name === name)!.next),
      )
      add(slab, 'statistic', slab.name, next, pack(slab, initialOf))
    }
  })
  return {
    graph: layout === 'portable' ? expand(step) : fuseEngine(expand(fuseBlocked(step))),
    batch,
    data: requiredInputs(fixed).map(({ name }) => name),
    target,
    scalars,
    loss: lossName,
    prediction: output,
    state,
    choices: [...choices.values()],
  }
}

/** The model's tensors after training, by name, out of the step's state. Parameters that were not trained are missing. */
export function trainedTensors(step: TrainStep, state: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  const moving = step.state.filter(({ role }) => role !== 'optimizer')
  return new Map(moving.flatMap(entry => unpack(entry, state.get(entry.input) ?? entry.initial)))
}

/** A graph with other values for some of its initializers. */
export function withTensors(graph: Graph, values: ReadonlyMap<string, Tensor>): Graph {
  for (const name of values.keys()) {
    if (!graph.initializers.has(name))
      throw new SinterError('not-found', `'${graph.name}' has no initializer '${name}'.`, { name })
  }
  return {
    ...graph,
    initializers: new Map([...graph.initializers].map(([name, value]) => [name, values.get(name) ?? value])),
  }
}

/**
 * The graph for one batch size: the first dimension of what must be fed becomes that size, and so does its symbol
 * wherever else it stands. Inputs that have an initializer are inputs no longer. Models that were written for batches of
 * one size, as many exporters do, are taken where nothing in them holds on to it.
 * @throws SinterError `not-supported` if an input has no first dimension, or the model does not fit another batch size.
 */
export function fixBatch(graph: Graph, batch: number): Graph {
  if (!Number.isInteger(batch) || batch < 1)
    throw new SinterError('invalid-argument', `The batch size must be a whole number above 0, not ${batch}.`, { batch })
  const symbols = new Set<string>()
  let stated: number | undefined
  const inputs = requiredInputs(graph)
  for (const { name, type } of inputs) {
    const first = isTensorType(type) ? type.shape?.[0] : undefined
    if (first === undefined) {
      throw new SinterError(
        'not-supported',
        `Input '${name}' has no first dimension that could be the batch's: its type is ${formatType(type)}.`,
        { name, batch },
      )
    }
    if (typeof first === 'string') symbols.add(first)
    else if (first !== batch) stated = first
  }
  const fix = (value: Value, first: readonly Dim[] = []): Value => {
    if (!isTensorType(value.type) || !value.type.shape) return value
    // '' is no symbol: dimensions of which nothing is known need not be equal.
    const shape = [...first, ...value.type.shape.slice(first.length)].map(dim =>
      dim !== '' && symbols.has(String(dim)) ? batch : dim,
    )
    return { ...value, type: { ...value.type, shape } }
  }
  // What the file states of other values may hold other symbols, or sizes, for the batch: infer them anew.
  const outputs = graph.outputs.map(value => (stated === undefined ? fix(value) : { ...value, type: undefined }))
  const fixed = { ...graph, inputs: inputs.map(value => fix(value, [batch])), outputs, types: new Map() }
  if (stated !== undefined) checkFits(fixed, stated, batch)
  return fixed
}

function checkFits(graph: Graph, stated: number, batch: number): void {
  try {
    infer(graph)
  } catch (error) {
    const message = `The model is written for batches of ${stated} and does not fit ${batch}: ${messageOf(error)} Train it at batch size ${stated}.`
    throw new SinterError('not-supported', message, { stated, batch }, error)
  }
}

function predictionOf(graph: Graph, name: string | undefined): number {
  const wanted = name ?? only(graph.outputs, 'output (name the one to train as `prediction`)').name
  const index = graph.outputs.findIndex(value => value.name === wanted)
  if (index < 0) {
    const outputs = graph.outputs.map(value => value.name)
    throw new SinterError('not-found', `The graph has no output '${wanted}'; it has ${outputs.join(', ')}.`, {
      outputs,
    })
  }
  return index
}

/** Names for what a step adds, which no value of the graph has. */
function ownNames(graph: Graph): (name: string) => string {
  const names = [...namesOf(graph)]
  let prefix = ''
  while (names.some(name => new RegExp(`^${prefix}(target$|state/|scalar/)`).test(name))) prefix += 'training/'
  return name => prefix + name
}

function addLoss(graph: Graph, output: Ref, loss: Loss, target: Value): { graph: Graph; name: Ref } {
  let name = ''
  const made = extend(graph, (op, draft) => {
    name = loss.build(op.within('loss/'), output, target.name)
    draft.outputs.unshift({ name, type: op.type(name) })
  })
  return { graph: made, name }
}

/**
 * The candidates that have a gradient. Others have nothing to learn from, and must stay as they are: parameters of other
 * outputs, and constants that only steer shapes (a Resize's scales), which inference has to know.
 */
function learning(
  graph: Graph,
  output: Ref,
  loss: Loss,
  target: Value,
  candidates: ReadonlySet<string>,
): readonly string[] {
  const { graph: whole, name } = addLoss({ ...graph, inputs: [...graph.inputs, target] }, output, loss, target)
  let found: readonly string[] = []
  extend(whole, op => {
    const scope = scopeOf(whole, infer(whole))
    found = [
      ...backward({ nodes: whole.nodes, op, scope, from: new Map([[name, 'one']]), wrt: [...candidates] }).keys(),
    ]
  })
  return found
}

/** Parameters as inputs: each slab comes in whole and is split into the tensors that the model's nodes read. */
function withState(graph: Graph, slabs: readonly Slab[]): { graph: Graph; refs: ReadonlyMap<string, Ref> } {
  const inputs = slabs.map((slab): Value => ({ name: slab.name, type: { dtype: slab.dtype, shape: slab.shape } }))
  const refs = new Map<string, Ref>()
  const open = extend({ ...graph, inputs: [...graph.inputs, ...inputs] }, (op, draft) => {
    for (const slab of slabs) {
      const parts = split(op, slab, slab.name)
      slab.holds.forEach(({ name }, i) => {
        draft.initializers.delete(name)
        draft.redirect(name, parts[i]!, { outputs: true })
        refs.set(name, parts[i]!)
      })
    }
  })
  return { graph: open, refs }
}

/** Gradients scaled so that their common L2 norm is at most `limit` (Pascanu et al. 2013; as PyTorch's clip_grad_norm_). */
function clip(op: Ops, gradients: readonly Ref[], limit: number): readonly Ref[] {
  const { dtype } = op.type(gradients[0]!)
  const squares = gradients.map(gradient => op.ReduceSumSquare([gradient], { keepdims: 0 }))
  const norm = op.Sqrt([squares.length === 1 ? squares[0]! : op.Sum(squares)])
  const epsilon = op.constant(scalar(dtype, 1e-6))
  const scale = op.Min([
    op.Div([op.constant(scalar(dtype, limit)), op.Add([norm, epsilon])]),
    op.constant(scalar(dtype, 1)),
  ])
  return gradients.map(gradient => op.Mul([gradient, scale]))
}

function typeOf(graph: Graph, name: string): TensorType {
  const type = infer(graph).get(name)
  if (isTensorType(type)) return type
  throw new SinterError(
    'not-supported',
    `The type of '${name}' does not follow from the graph, so no loss can be put on it.`,
    { name },
  )
}
