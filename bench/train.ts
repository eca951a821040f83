/*
 * Times training steps at batch 128: Sinter's, portable and in the layout of this machine's kernels, beside PyTorch's
 * (from $SINTER_PYTHON, else python3) and TensorFlow.js's, where they are installed. All take turns, so that a busy
 * moment hits them alike; with --cpu, and on one thread, it is the CPU's time that counts, which hardly depends on the
 * neighbours. Run: npm run bench:train [-- --quick --threads 2 --only resnet-8 --nodes 15 --forms --cpu]
 */
import { parseArgs } from 'node:util'
import { onnxruntimeNode } from '../src/runtime/onnxruntime-node.ts'
import { fastestLayout } from '../src/train/layout.ts'
import { type Contender, isMissing, type Missing, type Net, nets } from './training/contender.ts'
import { type Own, sinter } from './training/sinter.ts'
import { tfjs } from './training/tfjs.ts'
import { torch } from './training/torch.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    threads: { type: 'string' },
    only: { type: 'string' },
    nodes: { type: 'string', default: '0' },
    forms: { type: 'boolean', default: false },
    cpu: { type: 'boolean', default: false },
  },
})
const { cpu } = options
const threads = Number(options.threads ?? (cpu ? 1 : 2))
const [warmup, rounds, stepsPerRound] = options.quick ? [10, 8, 5] : [30, 20, 10]
/** A step slower than this, in milliseconds, is taken three times more and not again; one slower than the other, once. */
const [slow, tooSlow] = [5000, 20_000]

const layout = await fastestLayout(onnxruntimeNode)
const peer = await torch(threads, cpu)
console.log(
  `Milliseconds ${cpu ? 'of CPU time ' : ''}a training step of 128 rows on ${threads} thread(s), median and least of ${rounds * stepsPerRound} taken ` +
    `in turns of ${stepsPerRound}, and their ratios to PyTorch's better.`,
)
if (!isMissing(peer)) console.log(`PyTorch ${peer.version}`)
for (const net of nets) if (options.only === undefined || options.only === net) await compare(net)
if (!isMissing(peer)) peer.close()

async function compare(net: Net): Promise<void> {
  const own = [await sinter(net, 'portable', threads, cpu)]
  if (layout !== 'portable' && net !== 'mlp') own.push(await sinter(net, layout, threads, cpu))
  const others: readonly (Contender | Missing)[] = [
    ...(isMissing(peer) ? [peer] : layoutsOf(net).map(layout => peer.contender(net, layout))),
    options.quick && net !== 'mlp' ? { name: 'TensorFlow.js', reason: 'a step takes minutes' } : await tfjs(net, cpu),
  ]
  const contenders = [...own, ...others.flatMap(one => (isMissing(one) ? [] : [one]))]
  const times = await takeTurns(contenders)

  const measured = contenders.map(({ name }, i) => ({
    name,
    median: quantile(times[i]!, 0.5),
    least: quantile(times[i]!, 0),
  }))
  const ofPeer = measured.filter(({ name }) => name.startsWith('PyTorch'))
  const best = { median: least(ofPeer.map(one => one.median)), least: least(ofPeer.map(one => one.least)) }
  console.log(`\n${row(net, 'median', 'least', 'ratio', 'of least')}`)
  for (const one of measured) {
    console.log(row(one.name, one.median, one.least, one.median / best.median, one.least / best.least))
  }
  for (const one of others) if (isMissing(one)) console.log(`${one.name} is left out: ${one.reason}.`)
  if (options.forms) for (const one of own) if (one.timings.length > 0) printForms(one)
  if (Number(options.nodes) > 0) for (const one of own) await printNodes(one)
  for (const one of contenders) await one.close()
}

/** PyTorch's layouts: `channels_last` is one of images. */
function layoutsOf(net: Net) {
  return net === 'mlp' ? (['contiguous'] as const) : (['contiguous', 'channels_last'] as const)
}

async function takeTurns(contenders: readonly Contender[]): Promise<readonly (readonly number[])[]> {
  const times: number[][] = contenders.map(() => [])
  for (const [i, one] of contenders.entries()) {
    const [first] = (await one.run(1)) as [number]
    if (first > tooSlow) times[i]!.push(first)
    else if (first > slow) times[i]!.push(...(await one.run(3)))
    else await one.run(warmup - 1)
  }
  const inTurns = contenders.map((_, i) => times[i]!.length === 0)
  for (let round = 0; round < rounds; round++) {
    for (const [i, one] of contenders.entries()) if (inTurns[i]) times[i]!.push(...(await one.run(stepsPerRound)))
  }
  return times
}

function printForms({ name, timings }: Own): void {
  console.log(`\nFormulations that ${name} chose from:`)
  for (const { key, milliseconds, best } of timings) {
    const all = Object.entries(milliseconds).map(([form, ms]) => `${form === best ? '> ' : ''}${form} ${ms.toFixed(2)}`)
    console.log(`  ${key}\n    ${all.join(', ')}`)
  }
}

async function printNodes(one: Own): Promise<void> {
  const { nodes, run } = await one.profile()
  console.log(`\nHottest nodes of ${one.name}, in milliseconds of ${(run / 1000).toFixed(2)}:`)
  for (const { name, op, mean } of nodes.slice(0, Number(options.nodes))) {
    console.log(`  ${(mean / 1000).toFixed(3)}  ${op}  ${name}`)
  }
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.round(q * (sorted.length - 1))]!
}

function least(values: readonly number[]): number {
  return Math.min(...values)
}

function row(name: string, ...cells: readonly (string | number)[]): string {
  const text = cells.map(cell =>
    typeof cell === 'string' ? cell : Number.isFinite(cell) && cell !== 0 ? cell.toFixed(2) : '-',
  )
  return [name.padEnd(26), ...text.map(cell => cell.padStart(10))].join('')
}
