/**
 * Simplifies a synthetic model of 3 GB whose tensors lie in a file of their own, in a process whose heap is 1.5 GB:
 * `npm run large-model`, or with `-- --gigabytes 1`. Fails if more than a few tensors' worth of memory was taken, or if the
 * result is wrong.
 */
import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf, SinterError } from '../src/base/errors.ts'
import { random } from '../src/base/random.ts'
import { float32s, lazyTensor, type Tensor } from '../src/base/tensor.ts'
import { type NewNode, node } from '../src/graph/edit.ts'
import { emptyGraph, type Graph } from '../src/graph/graph.ts'
import { readModel, writeModel } from '../src/onnx/files.ts'
import { check } from '../src/read/check.ts'
import { simplify } from '../src/simplify/index.ts'

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

/** Layers of MatMul, Add, Identity and Relu; every fourth weight is the same as the one before under another name. */
function deepModel(): Graph {
  const initializers = new Map<string, Tensor>()
  const nodes: NewNode[] = []
  let x = 'x'
  for (let i = 0; i < layers; i++) {
    initializers.set(`w${i}`, weight(i % 4 === 3 ? i - 1 : i))
    initializers.set(`b${i}`, float32s([width], new Float32Array(width).fill(i % 4 === 2 ? 0 : i / 64)))
    nodes.push(
      { op: 'MatMul', inputs: [x, `w${i}`], outputs: [`m${i}`] },
      { op: 'Add', inputs: [`m${i}`, `b${i}`], outputs: [`a${i}`] },
      { op: 'Identity', inputs: [`a${i}`], outputs: [`i${i}`] },
      { op: 'Relu', inputs: [`i${i}`], outputs: [`r${i}`] },
    )
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
  const graph = await readModel(path)
  const simplified = simplify()(graph)
  console.log(`simplified in ${seconds(start)}, peak ${megabytes(peak())}`)
  start = performance.now()
  await writeModel(result, simplified)
  const taken = peak()
  console.log(`written in ${seconds(start)}, peak ${megabytes(taken)}`)
  console.log(`${graph.nodes.length} nodes to ${simplified.nodes.length}, ${simplified.initializers.size} initializers`)

  const [problem] = check(await readModel(result))
  if (problem) wrong.push(problem.message)
  if (simplified.nodes.length >= graph.nodes.length) wrong.push('It has become no smaller.')
  // Every matrix that is left must be one of those that were made, element for element where it is sampled.
  for (const [name, value] of (await readModel(result)).initializers) {
    if (value.shape.length !== 2) continue
    const [read, made] = [value.data as Float32Array, weight(Number(name.slice(1))).data as Float32Array]
    for (let i = 0; i < read.length; i += 9973) if (read[i] !== made[i]) wrong.push(`${name} differs at ${i}.`)
  }
  if (taken > allowed) wrong.push(`It took ${megabytes(taken)}, more than ${megabytes(allowed)}.`)

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
