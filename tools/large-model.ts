/**
 * Simplifies a synthetic model of 3 GB whose tensors lie in a file of their own, as the verb does, in a process whose heap
 * is 1.5 GB: `npm run large-model`, or with `-- --gigabytes 1`. Fails if more than a few tensors' worth of memory was taken,
 * or if the result is wrong: weights that are not those that were made or folded, other outputs in the engine.
 */
import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf, SinterError } from '../src/base/errors.ts'
import { random } from '../src/base/random.ts'
import { float32s, lazyTensor, type Tensor } from '../src/base/tensor.ts'
import { simplifyFile } from '../src/cli/simplify.ts'
import { type NewNode, node } from '../src/graph/edit.ts'
import { emptyGraph, type Graph } from '../src/graph/graph.ts'
import { readModel, writeModel } from '../src/onnx/files.ts'
import { check } from '../src/read/check.ts'
import { onnxruntimeNode } from '../src/runtime/onnxruntime-node.ts'

const { values } = parseArgs({
  options: { gigabytes: { type: 'string', default: '3' }, folder: { type: 'string' } },
})
const width = 4096
const tensorBytes = 4 * width * width
const layers = Math.ceil((Number(values.gigabytes) * 2 ** 30) / tensorBytes)
/** What a process of this kind takes by itself, and how many large tensors it may hold beside. */
const allowed = 500e6 + 8 * tensorBytes

/** A matrix of small numbers that depend on its seed alone, made when it is asked for. */
function weight(seed: number): Tensor {
  return lazyTensor('float32', [width, width], () => {
    const data = new Float32Array(width * width)
    const draw = random(seed)
    const row = Float32Array.from({ length: width + seed }, () => (draw.uniform() - 0.5) / 64)
    for (let i = 0; i < width; i++) data.set(row.subarray(i % (seed + 1), (i % (seed + 1)) + width), i * width)
    return data
  })
}

/** By what the normalization after a layer scales each channel, the variance being 1 - 1e-5. */
const factor = (channel: number) => Math.fround(0.25 + (channel % 7) / 16)
const isNormalized = (layer: number) => layer % 4 < 2

/**
 * Layers of MatMul, Add, Identity and Relu, of four two with a BatchNormalization; every fourth weight is the same as the
 * one before under another name.
 */
function deepModel(): Graph {
  const initializers = new Map<string, Tensor>()
  const nodes: NewNode[] = []
  const each = (value: (channel: number) => number) =>
    float32s(
      [width],
      Float32Array.from({ length: width }, (_, i) => value(i)),
    )
  const statistics = ['scale', 'shift', 'mean', 'variance']
  const values = [factor, () => 0.125, (channel: number) => (channel % 3) / 8, () => 1 - 1e-5]
  for (const [i, name] of statistics.entries()) initializers.set(name, each(values[i]!))
  let x = 'x'
  for (let i = 0; i < layers; i++) {
    initializers.set(`w${i}`, weight(i % 4 === 3 ? i - 1 : i))
    initializers.set(`b${i}`, float32s([width], new Float32Array(width).fill(i % 4 === 2 ? 0 : i / 64)))
    nodes.push(
      { op: 'MatMul', inputs: [x, `w${i}`], outputs: [`m${i}`] },
      { op: 'Add', inputs: [`m${i}`, `b${i}`], outputs: [`a${i}`] },
      { op: 'Identity', inputs: [`a${i}`], outputs: [`i${i}`] },
    )
    if (isNormalized(i)) nodes.push({ op: 'BatchNormalization', inputs: [`i${i}`, ...statistics], outputs: [`n${i}`] })
    nodes.push({ op: 'Relu', inputs: [isNormalized(i) ? `n${i}` : `i${i}`], outputs: [`r${i}`] })
    x = `r${i}`
  }
  const type = { dtype: 'float32' as const, shape: ['N', width] }
  return {
    ...emptyGraph('deep'),
    inputs: [{ name: 'x', type }],
    outputs: [{ name: x, type }],
    initializers,
    nodes: nodes.map(node),
  }
}

/** What a model makes of the same random rows each time. */
async function outputOf(path: string): Promise<Float32Array> {
  await using session = await onnxruntimeNode.open(await readModel(path), { graphOptimization: 'disabled' })
  const draw = random(7)
  const x = float32s(
    [2, width],
    Float32Array.from({ length: 2 * width }, () => draw.normal()),
  )
  const [output] = Object.values(await session.run({ x }))
  return output!.data as Float32Array
}

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`
const peak = () => process.resourceUsage().maxRSS * 1024

const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'sinter-large-')))
const wrong: string[] = []
try {
  const [path, result] = [join(folder, 'deep.onnx'), join(folder, 'simplified.onnx')]
  let start = performance.now()
  await writeModel(path, deepModel(), { external: 'always' })
  console.log(`${layers} layers of ${megabytes(tensorBytes)} written in ${seconds(start)}, peak ${megabytes(peak())}`)

  start = performance.now()
  const { nodes, passes } = await simplifyFile(path, { out: result, check: false })
  const taken = peak()
  console.log(`simplified and written in ${seconds(start)}, peak ${megabytes(taken)}`)
  const folded = passes.find(({ name }) => name === 'fold-batch-norm')?.changes
  const simplified = await readModel(result)
  console.log(`${nodes.before} nodes to ${nodes.after}, ${simplified.initializers.size} initializers, ${folded} folded`)

  const [problem] = check(simplified)
  if (problem) wrong.push(problem.message)
  if (nodes.after >= nodes.before || folded !== layers - Math.floor(layers / 4) * 2 - Math.max(0, (layers % 4) - 2))
    wrong.push('Not all was folded.')
  // Every matrix that is left must be one of those that were made, element for element where it is sampled.
  for (const { op, inputs } of simplified.nodes) {
    const name = inputs[1]!
    const weights = simplified.initializers.get(name)
    if (op !== 'Gemm' && op !== 'MatMul') continue
    const layer = Number(/\d+/.exec(name)?.[0])
    const [read, made] = [weights!.data as Float32Array, weight(layer).data as Float32Array]
    for (let i = 0; i < read.length; i += 9973) {
      const expected = isNormalized(layer) ? made[i]! * factor(i % width) : made[i]!
      if (!(Math.abs(read[i]! - expected) <= 1e-6 * Math.abs(expected))) wrong.push(`${name} differs at ${i}.`)
    }
  }
  if (taken > allowed) wrong.push(`It took ${megabytes(taken)}, more than ${megabytes(allowed)}.`)

  start = performance.now()
  const [expected, actual] = [await outputOf(path), await outputOf(result)]
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const difference = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0)
  console.log(`run in ${seconds(start)}: outputs up to ${scale.toPrecision(3)} differ by ${difference.toPrecision(3)}`)
  if (!(scale > 0 && difference <= 1e-4 * scale)) wrong.push('The outputs differ.')

  const tooLong = join(folder, 'too-long.onnx')
  await writeFile(tooLong, Uint8Array.of(0x08, 10))
  await truncate(tooLong, 2.2e9)
  const refusal = await readModel(tooLong).catch(error => error)
  if (!(refusal instanceof SinterError && /2 GiB/.test(refusal.message)))
    wrong.push(`A file of ${(await stat(tooLong)).size} bytes gives: ${messageOf(refusal)}`)
} finally {
  if (!values.folder) await rm(folder, { recursive: true, force: true })
}
for (const problem of wrong.slice(0, 10)) console.log(`WRONG: ${problem}`)
process.exitCode = wrong.length > 0 ? 1 : 0
