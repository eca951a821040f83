/**
 * Mutates model files and sends them through all of Sinter: `npm run fuzz -- --mutations 20000 --seed 1`. Prints what must
 * not happen with the number that makes it happen again: `npm run fuzz -- --seed 1 --first NUMBER --mutations 1`.
 */
import { parseArgs } from 'node:util'
import { type Finding, fuzz } from '../test/support/fuzz/watch.ts'

const { values } = parseArgs({
  options: {
    mutations: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    children: { type: 'string', default: '1' },
    own: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
/** Findings that look alike are shown once. */
const seen = new Map<string, readonly Finding[]>()
const keyOf = ({ kind, stage, what }: Finding) => `${kind} ${stage} ${what.split('\n').slice(0, 2).join()}`
const started = Date.now()
const { mutations, findings, ends } = await fuzz({
  seed,
  first: Number(values.first),
  mutations: Number(values.mutations),
  children: Number(values.children),
  shared: !values.own,
  onFinding: finding => {
    const alike = seen.get(keyOf(finding)) ?? []
    seen.set(keyOf(finding), [...alike, finding])
    const { kind, number, from, stage, what } = finding
    if (alike.length === 0)
      console.log(
        `${kind} at ${stage}: --seed ${seed} --first ${number} --mutations 1 (${from})\n  ${what.slice(0, 1000)}`,
      )
  },
})
for (const list of seen.values()) {
  const { kind, stage, what } = list[0]!
  const numbers = list.map(({ number }) => number).slice(0, 8)
  console.log(`${list.length} x ${kind} at ${stage} (${numbers.join(', ')}): ${what.split('\n', 1)[0]!.slice(0, 150)}`)
}
for (const [end, count] of Object.entries(ends).sort(([, a], [, b]) => b - a)) console.log(`${count}\t${end}`)
const seconds = (Date.now() - started) / 1000
console.log(`${mutations} mutations in ${seconds.toFixed(0)} s: ${findings.length} findings.`)
process.exitCode = findings.length > 0 ? 1 : 0
