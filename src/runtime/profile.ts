import { z } from 'zod'
import { messageOf, SinterError } from '../base/errors.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { nodeFinder } from './engine-names.ts'

/** What one node of the graph that the engine ran has taken. Times are in microseconds. */
export interface NodeTime {
  /** The engine's name for it. */
  readonly name: string
  /** The operator that ran, which may be the engine's own (`FusedConv`, `ReorderOutput`). */
  readonly op: string
  /** The node of our graph that it stands for, alone or as the last of those fused into it, where the name tells. */
  readonly node: Node | undefined
  /** How often it ran: once a run, more in a loop's body. */
  readonly calls: number
  readonly total: number
  readonly mean: number
}

export interface Profile {
  /** Runs that were counted. */
  readonly runs: number
  /** Mean time of one run, in microseconds: the nodes and the engine's own work between them. */
  readonly run: number
  /** Slowest first. A Loop, Scan or If includes the nodes of its body, which are listed as well. */
  readonly nodes: readonly NodeTime[]
}

const events = z.array(
  z.looseObject({
    cat: z.string(),
    name: z.string(),
    ts: z.number().optional(),
    dur: z.number().optional(),
    args: z.looseObject({ op_name: z.string().optional(), node_index: z.string().optional() }).optional(),
  }),
)

/**
 * Reads the profile that onnxruntime writes (Chrome's trace event format) into times per node.
 * @param skip runs to leave out at the beginning, while caches and arenas warm up.
 * @throws SinterError `invalid-data` if the text is no such profile, or holds no run beyond those skipped.
 */
export function parseProfile(text: string, graph: Graph, skip = 0): Profile {
  const all = parsed(text)
  const runs = all
    .filter(event => event.cat === 'Session' && event.name === 'model_run')
    .map(({ ts = 0, dur = 0 }) => ({ start: ts, end: ts + dur }))
    .sort((a, b) => a.start - b.start)
    .slice(skip)
  const first = runs[0]
  if (!first)
    throw new SinterError('invalid-data', `The profile holds no run beyond the ${skip} that are skipped.`, { skip })
  const find = nodeFinder(graph)
  const times = new Map<string, { name: string; op: string; calls: number; total: number }>()
  for (const { cat, name, ts = 0, dur = 0, args } of all) {
    if (cat !== 'Node' || !name.endsWith(suffix) || ts < first.start) continue
    const key = `${args?.node_index} ${name}`
    const time = times.get(key) ?? { name: name.slice(0, -suffix.length), op: args?.op_name ?? '', calls: 0, total: 0 }
    time.calls++
    time.total += dur
    times.set(key, time)
  }
  return {
    runs: runs.length,
    run: runs.reduce((sum, { start, end }) => sum + end - start, 0) / runs.length,
    nodes: [...times.values()]
      .map(time => ({ ...time, mean: time.total / time.calls, node: find(time.name) }))
      .sort((a, b) => b.total - a.total),
  }
}

const suffix = '_kernel_time'

function parsed(text: string): z.infer<typeof events> {
  try {
    return events.parse(JSON.parse(text))
  } catch (error) {
    throw new SinterError('invalid-data', `Not a profile of onnxruntime: ${messageOf(error)}`, {}, error)
  }
}
