/**
 * What onnxruntime makes of operators that are written out in several nodes, and of the one node they amount to: the
 * time of the one over that of the several, each as the engine itself rewrites it at its default level, on one thread.
 * Simplifying takes only what is not slower. Run with `npm run bench:recognize [part of a name]`.
 */
import { random } from '../src/base/random.ts'
import { float32s, fromNumbers } from '../src/base/tensor.ts'
import type { Graph } from '../src/graph/graph.ts'
import type { Ops, Ref } from '../src/ops/build.ts'
import type { Feeds, Session } from '../src/runtime/backend.ts'
import { onnxruntimeNode } from '../src/runtime/onnxruntime-node.ts'
import { makeGraph } from '../test/support/make-graph.ts'

type Build = (op: Ops, x: Ref, shape: readonly number[]) => Ref | readonly Ref[]

interface Case {
  readonly sizes: readonly (readonly number[])[]
  readonly written: Build
  readonly one: Build
  readonly integers?: boolean
}

const draw = random(5)
const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
const normal = (...shape: number[]) =>
  float32s(
    shape,
    Float32Array.from({ length: count(shape) }, () => 0.1 * draw.normal()),
  )
const half = (op: Ops) => op.scalar(0.5)

const flat = [
  [1, 64],
  [8, 128, 256],
  [1, 512, 1024],
]
const images = [
  [1, 16, 8, 8],
  [1, 64, 56, 56],
  [4, 128, 28, 28],
]

function layerNorm(op: Ops, x: Ref, shape: readonly number[]): Ref {
  const size = shape.at(-1)!
  const axes = op.ints([-1])
  const centered = op.Sub([x, op.ReduceMean([x, axes])])
  const variance = op.ReduceMean([op.Pow([centered, op.scalar(2)]), axes])
  const normalized = op.Div([centered, op.Sqrt([op.Add([variance, op.scalar(1e-5)])])])
  return op.Add([op.Mul([normalized, op.constant(normal(size), 's')]), op.constant(normal(size), 't')])
}

function hardSwish(op: Ops, x: Ref): Ref {
  const clipped = op.Clip([op.Add([x, op.scalar(3)]), op.scalar(0), op.scalar(6)])
  return op.Div([op.Mul([x, clipped]), op.scalar(6)])
}

const conv = (op: Ops, x: Ref, from: number, to: number, kernel = 1) =>
  op.Conv([x, op.constant(normal(to, from, kernel, kernel), 'w'), op.constant(normal(to), 'b')], {
    pads: new Array<number>(4).fill(Math.floor(kernel / 2)),
  })

/** An activation between two convolutions, as networks have it. */
const between =
  (f: (op: Ops, x: Ref) => Ref): Build =>
  (op, x, [, channels]) =>
    conv(op, f(op, conv(op, x, channels!, channels!)), channels!, channels!)

const tanhGelu = (op: Ops, x: Ref) => {
  const cubed = op.Mul([op.scalar(0.044715), op.Pow([x, op.scalar(3)])])
  const inner = op.Tanh([op.Mul([op.scalar(Math.sqrt(2 / Math.PI)), op.Add([x, cubed])])])
  return op.Mul([op.Mul([half(op), x]), op.Add([op.scalar(1), inner])])
}

const attention =
  (project: (op: Ops, x: Ref, size: number) => readonly Ref[], norm: boolean): Build =>
  (op, x, [batch, rows, size]) => {
    const heads = 8
    const from = norm ? layerNormOne(op, x, [batch!, rows!, size!]) : x
    const [q, k, v] = project(op, from, size!).map(ref =>
      op.Transpose([op.Reshape([ref, op.ints([0, 0, heads, size! / heads])])], { perm: [0, 2, 1, 3] }),
    )
    const scores = op.Softmax([
      op.Div([op.MatMul([q!, op.Transpose([k!], { perm: [0, 1, 3, 2] })]), op.scalar(Math.sqrt(size! / heads))]),
    ])
    const mixed = op.Transpose([op.MatMul([scores, v!])], { perm: [0, 2, 1, 3] })
    const out = op.MatMul([op.Reshape([mixed, op.ints([0, 0, size!])]), op.constant(normal(size!, size!), 'o')])
    return norm ? op.Add([op.Add([out, op.constant(normal(size!), 'ob')]), from]) : out
  }

const layerNormOne = (op: Ops, x: Ref, shape: readonly number[]) =>
  op.LayerNormalization([x, op.constant(normal(shape.at(-1)!), 's'), op.constant(normal(shape.at(-1)!), 't')])

const three = (bias: boolean) => (op: Ops, x: Ref, size: number) =>
  [0, 1, 2].map(() => {
    const product = op.MatMul([x, op.constant(normal(size, size), 'w')])
    return bias ? op.Add([product, op.constant(normal(size), 'b')]) : product
  })
const threeInOne = (bias: boolean) => (op: Ops, x: Ref, size: number) => {
  const product = op.MatMul([x, op.constant(normal(size, 3 * size), 'w')])
  const sum = bias ? op.Add([product, op.constant(normal(3 * size), 'b')]) : product
  return op.many('Split', 3, [sum, op.ints([size, size, size])], { axis: -1 })
}
const sequences = [
  [1, 1, 64],
  [1, 16, 64],
  [1, 128, 256],
  [4, 128, 512],
]

const shuffle =
  (form: 'transpose' | 'gather'): Build =>
  (op, x, [n, c, h, w]) => {
    const first = conv(op, x, c!, c!)
    const order = Array.from({ length: c! }, (_, i) => (i % 2) * (c! / 2) + Math.floor(i / 2))
    const mixed =
      form === 'gather'
        ? op.Gather([first, op.ints(order)], { axis: 1 })
        : op.Reshape([
            op.Transpose([op.Reshape([first, op.ints([n!, 2, c! / 2, h!, w!])])], { perm: [0, 2, 1, 3, 4] }),
            op.ints([n!, c!, h!, w!]),
          ])
    return conv(op, mixed, c!, c!)
  }

const cases: Readonly<Record<string, Case>> = {
  'gelu (erf)': {
    sizes: flat,
    written: (op, x) =>
      op.Mul([op.Mul([x, op.Add([op.Erf([op.Div([x, op.scalar(Math.SQRT2)])]), op.scalar(1)])]), half(op)]),
    one: (op, x) => op.Gelu([x]),
  },
  'gelu (tanh)': { sizes: flat, written: tanhGelu, one: (op, x) => op.Gelu([x], { approximate: 'tanh' }) },
  'hard swish': { sizes: [...flat, ...images], written: hardSwish, one: (op, x) => op.HardSwish([x]) },
  'hard swish as a product': {
    sizes: [...flat, ...images],
    written: hardSwish,
    one: (op, x) => op.Mul([x, op.HardSigmoid([x], { alpha: 1 / 6, beta: 0.5 })]),
  },
  'hard swish between convolutions': {
    sizes: images,
    written: between(hardSwish),
    one: between((op, x) => op.HardSwish([x])),
  },
  'hard swish of the product, between convolutions': {
    sizes: images,
    written: between((op, x) => op.Mul([x, op.HardSigmoid([x], { alpha: 1 / 6, beta: 0.5 })])),
    one: between((op, x) => op.HardSwish([x])),
  },
  'hard sigmoid': {
    sizes: [...flat, ...images],
    written: (op, x) => op.Div([op.Clip([op.Add([x, op.scalar(3)]), op.scalar(0), op.scalar(6)]), op.scalar(6)]),
    one: (op, x) => op.HardSigmoid([x], { alpha: 1 / 6, beta: 0.5 }),
  },
  mish: {
    sizes: [...flat, ...images],
    written: (op, x) => op.Mul([x, op.Tanh([op.Softplus([x])])]),
    one: (op, x) => op.Mish([x]),
  },
  softplus: {
    sizes: flat,
    written: (op, x) => op.Log([op.Add([op.Exp([x]), op.scalar(1)])]),
    one: (op, x) => op.Softplus([x]),
  },
  'leaky relu': {
    sizes: [...flat, ...images],
    written: (op, x) => op.Max([x, op.Mul([x, op.scalar(0.1)])]),
    one: (op, x) => op.LeakyRelu([x], { alpha: 0.1 }),
  },
  prelu: {
    sizes: images,
    written: (op, x, [, c]) =>
      op.Add([op.Relu([x]), op.Mul([op.Neg([op.Relu([op.Neg([x])])]), op.constant(normal(c!, 1, 1), 'slope')])]),
    one: (op, x, [, c]) => op.PRelu([x, op.constant(normal(c!, 1, 1), 'slope')]),
  },
  'layer normalization': { sizes: flat, written: layerNorm, one: layerNormOne },
  'layer normalization of a map of channels': {
    sizes: images,
    written: (op, x, [, c]) => {
      const axes = op.ints([1])
      const centered = op.Sub([x, op.ReduceMean([x, axes])])
      const variance = op.ReduceMean([op.Pow([centered, op.scalar(2)]), axes])
      const normalized = op.Div([centered, op.Sqrt([op.Add([variance, op.scalar(1e-5)])])])
      return op.Add([op.Mul([normalized, op.constant(normal(c!, 1, 1), 's')]), op.constant(normal(c!, 1, 1), 't')])
    },
    one: (op, x, [, c]) =>
      op.Transpose([layerNormOne(op, op.Transpose([x], { perm: [0, 2, 3, 1] }), [c!])], { perm: [0, 3, 1, 2] }),
  },
  'root mean square': {
    sizes: flat,
    written: (op, x, shape) => {
      const mean = op.ReduceMean([op.Pow([x, op.scalar(2)]), op.ints([-1])])
      const divided = op.Div([x, op.Sqrt([op.Add([mean, op.scalar(1e-5)])])])
      return op.Mul([divided, op.constant(normal(shape.at(-1)!), 's')])
    },
    one: (op, x, shape) => {
      const sum = op.ReduceSumSquare([x, op.ints([-1])])
      const divided = op.Div([x, op.Sqrt([op.Add([sum, op.scalar(1e-5 * shape.at(-1)!)])])])
      return op.Mul([divided, op.constant(normal(shape.at(-1)!), 's')])
    },
  },
  'instance normalization': {
    sizes: images,
    written: (op, x, [, c]) => {
      const axes = op.ints([2, 3])
      const centered = op.Sub([x, op.ReduceMean([x, axes])])
      const variance = op.ReduceMean([op.Mul([centered, centered]), axes])
      const normalized = op.Div([centered, op.Sqrt([op.Add([variance, op.scalar(1e-5)])])])
      return op.Add([op.Mul([normalized, op.constant(normal(c!, 1, 1), 's')]), op.constant(normal(c!, 1, 1), 't')])
    },
    one: (op, x, [, c]) => op.InstanceNormalization([x, op.constant(normal(c!), 's'), op.constant(normal(c!), 't')]),
  },
  'group normalization': {
    sizes: images,
    written: (op, x, [n, c, h, w]) => {
      const grouped = op.Reshape([x, op.ints([n!, 4, -1])])
      const [ones, zeros] = [float32s([4], [1, 1, 1, 1]), float32s([4], [0, 0, 0, 0])]
      const normalized = op.InstanceNormalization([grouped, op.constant(ones), op.constant(zeros)])
      const back = op.Reshape([normalized, op.ints([n!, c!, h!, w!])])
      return op.Add([op.Mul([back, op.constant(normal(c!, 1, 1), 's')]), op.constant(normal(c!, 1, 1), 't')])
    },
    one: (op, x, [, c]) =>
      op.GroupNormalization([x, op.constant(normal(c!), 's'), op.constant(normal(c!), 't')], { num_groups: 4 }),
  },
  softmax: {
    sizes: flat,
    written: (op, x) => {
      const powers = op.Exp([op.Sub([x, op.ReduceMax([x, op.ints([-1])])])])
      return op.Div([powers, op.ReduceSum([powers, op.ints([-1])])])
    },
    one: (op, x) => op.Softmax([x]),
  },
  'softmax without the maximum': {
    sizes: flat,
    written: (op, x) => {
      const powers = op.Exp([x])
      return op.Div([powers, op.ReduceSum([powers, op.ints([-1])])])
    },
    one: (op, x) => op.Softmax([x]),
  },
  'softmax over channels': {
    sizes: images,
    written: (op, x) => {
      const powers = op.Exp([op.Sub([x, op.ReduceMax([x, op.ints([1])])])])
      return op.Div([powers, op.ReduceSum([powers, op.ints([1])])])
    },
    one: (op, x) => op.Softmax([x], { axis: 1 }),
  },
  'log of a softmax': {
    sizes: flat,
    written: (op, x) => op.Log([op.Softmax([x])]),
    one: (op, x) => op.LogSoftmax([x]),
  },
  'length one': {
    sizes: flat,
    written: (op, x) => op.Div([x, op.ReduceL2([x, op.ints([-1])])]),
    one: (op, x) => op.LpNormalization([x], { axis: -1, p: 2 }),
  },
  'sum of squares': {
    sizes: flat,
    written: (op, x) => op.Sqrt([op.ReduceSum([op.Mul([x, x]), op.ints([-1])])]),
    one: (op, x) => op.ReduceL2([x, op.ints([-1])]),
  },
  square: { sizes: flat, written: (op, x) => op.Pow([x, op.scalar(2)]), one: (op, x) => op.Mul([x, x]) },
  cube: { sizes: flat, written: (op, x) => op.Mul([x, op.Mul([x, x])]), one: (op, x) => op.Pow([x, op.scalar(3)]) },
  'mean over the image': {
    sizes: images,
    written: (op, x) => op.ReduceMean([x, op.ints([2, 3])]),
    one: (op, x) => op.GlobalAveragePool([x]),
  },
  'mean over the image, after a convolution': {
    sizes: images,
    written: (op, x, [, c]) => op.ReduceMean([conv(op, x, c!, c!, 3), op.ints([2, 3])]),
    one: (op, x, [, c]) => op.GlobalAveragePool([conv(op, x, c!, c!, 3)]),
  },
  'flat mean over the image, after a convolution': {
    sizes: images,
    written: (op, x, [, c]) => op.Flatten([op.GlobalAveragePool([conv(op, x, c!, c!, 3)])]),
    one: (op, x, [, c]) => op.ReduceMean([conv(op, x, c!, c!, 3), op.ints([2, 3])], { keepdims: 0 }),
  },
  'flat mean over the image': {
    sizes: images,
    written: (op, x) => op.Flatten([op.GlobalAveragePool([x])]),
    one: (op, x) => op.ReduceMean([x, op.ints([2, 3])], { keepdims: 0 }),
  },
  'three products in one': {
    sizes: sequences,
    written: (op, x, [, , c]) => three(false)(op, x, c!),
    one: (op, x, [, , c]) => threeInOne(false)(op, x, c!),
  },
  'three products with biases in one': {
    sizes: sequences,
    written: (op, x, [, , c]) => three(true)(op, x, c!),
    one: (op, x, [, , c]) => threeInOne(true)(op, x, c!),
  },
  'attention, products in one': {
    sizes: sequences,
    written: attention(three(false), false),
    one: attention(threeInOne(false), false),
  },
  'attention after a norm, with biases, products in one': {
    sizes: sequences,
    written: attention(three(true), true),
    one: attention(threeInOne(true), true),
  },
  focus: {
    sizes: [
      [1, 3, 64, 64],
      [1, 3, 320, 320],
    ],
    written: (op, x) => {
      const step = (start: number, axis: number, from: Ref) =>
        op.Slice([from, op.ints([start]), op.ints([1 << 30]), op.ints([axis]), op.ints([2])])
      const parts = [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
      ].map(([h, w]) => step(w!, 3, step(h!, 2, x)))
      return conv(op, op.Concat(parts, { axis: 1 }), 12, 32, 3)
    },
    one: (op, x) => conv(op, op.SpaceToDepth([x], { blocksize: 2 }), 12, 32, 3),
  },
  'depth to space': {
    sizes: [
      [1, 16, 8, 8],
      [1, 64, 64, 64],
    ],
    written: (op, x, [n, c, h, w]) =>
      op.Reshape([
        op.Transpose([op.Reshape([x, op.ints([n!, c! / 4, 2, 2, h!, w!])])], { perm: [0, 1, 4, 2, 5, 3] }),
        op.ints([n!, c! / 4, 2 * h!, 2 * w!]),
      ]),
    one: (op, x) => op.DepthToSpace([x], { blocksize: 2, mode: 'CRD' }),
  },
  'space to depth': {
    sizes: [
      [1, 16, 8, 8],
      [1, 64, 64, 64],
    ],
    written: (op, x, [n, c, h, w]) =>
      op.Reshape([
        op.Transpose([op.Reshape([x, op.ints([n!, c!, h! / 2, 2, w! / 2, 2])])], { perm: [0, 3, 5, 1, 2, 4] }),
        op.ints([n!, c! * 4, h! / 2, w! / 2]),
      ]),
    one: (op, x) => op.SpaceToDepth([x], { blocksize: 2 }),
  },
  'channel shuffle': { sizes: images, written: shuffle('transpose'), one: shuffle('gather') },
  'one-hot product': {
    sizes: [
      [1, 16],
      [1, 2048],
    ],
    integers: true,
    written: (op, x) => {
      const hot = op.OneHot([x, op.constant(fromNumbers('int64', [], [257])), op.constant(float32s([2], [0, 1]))])
      return op.MatMul([hot, op.constant(normal(257, 64), 'table')])
    },
    one: (op, x) => op.Gather([op.constant(normal(257, 64), 'table'), x]),
  },
  'transposed product': {
    sizes: [
      [16, 64],
      [256, 256],
    ],
    written: (op, x) => op.MatMul([x, op.Transpose([x])]),
    one: (op, x) => op.Gemm([x, x], { transB: 1 }),
  },
  'sum into a product': {
    sizes: [
      [1, 64],
      [128, 256],
    ],
    written: (op, x, [, c]) => op.Add([op.MatMul([x, op.constant(normal(c!, c!), 'w')]), op.constant(normal(c!), 'b')]),
    one: (op, x, [, c]) => op.Gemm([x, op.constant(normal(c!, c!), 'w'), op.constant(normal(c!), 'b')]),
  },
}

function graphOf(build: Build, shape: readonly number[], integers: boolean): Graph {
  return makeGraph({ x: { dtype: integers ? 'int64' : 'float32', shape } }, (op, { x }) => {
    const made = build(op, x, shape)
    const refs = typeof made === 'string' ? [made] : made
    return Object.fromEntries(refs.map((ref, i) => [`y${i}`, ref]))
  })
}

/** CPU microseconds of one run of each session, medians of rounds that alternate. */
async function times(sessions: readonly Session[], feeds: Feeds): Promise<readonly number[]> {
  const took = sessions.map((): number[] => [])
  const started = performance.now()
  await sessions[0]!.run(feeds)
  const repeat = Math.max(1, Math.round(2 / Math.max(performance.now() - started, 0.02)))
  for (let round = 0; round < 31; round++) {
    for (const [i, session] of sessions.entries()) {
      const before = process.cpuUsage()
      for (let run = 0; run < repeat; run++) await session.run(feeds)
      const { user, system } = process.cpuUsage(before)
      took[i]!.push((user + system) / repeat)
    }
  }
  return took.map(list => list.sort((a, b) => a - b)[list.length >> 1]!)
}

const wanted = process.argv[2] ?? ''
for (const [name, { sizes, written, one, integers = false }] of Object.entries(cases)) {
  if (!name.includes(wanted)) continue
  console.log(name)
  for (const shape of sizes) {
    const graphs = [written, one].map(build => graphOf(build, shape, integers))
    const data = Array.from({ length: count(shape) }, () => (integers ? draw.integer(257) : draw.normal()))
    const feeds = { x: fromNumbers(integers ? 'int64' : 'float32', shape, data) }
    await using several = await onnxruntimeNode.open(graphs[0]!, { threads: 1 })
    await using single = await onnxruntimeNode.open(graphs[1]!, { threads: 1 })
    const [before, after] = (await times([several, single], feeds)) as [number, number]
    const ratio = (after / before).toFixed(2)
    console.log(`  [${shape}]`.padEnd(22), `${before.toFixed(0)} -> ${after.toFixed(0)} us`.padEnd(22), `x${ratio}`)
  }
}
