import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SinterError } from '../base/errors.ts'
import { type Graph, requiredInputs } from '../graph/graph.ts'
import type { Backend, Feeds, OpenOptions } from './backend.ts'
import { type Profile, parseProfile } from './profile.ts'
import { unrankedInputs, withRanks } from './ranks.ts'

export interface ProfileOptions extends Omit<OpenOptions, 'profile'> {
  /** Runs that count; 50 if left out. */
  readonly runs?: number
  /** Runs before those; 10 if left out. */
  readonly warmup?: number
}

/**
 * Runs a graph with the engine's profiler on and tells where the time goes. Names tell which node is meant, so nodes
 * should have names of their own.
 * @throws SinterError as `Backend.open` and `Session.run` do.
 */
export async function profileGraph(
  backend: Backend,
  graph: Graph,
  feeds: Feeds,
  { runs = 50, warmup = 10, ...options }: ProfileOptions = {},
): Promise<Profile> {
  const folder = await mkdtemp(join(tmpdir(), 'sinter-profile-'))
  try {
    // With its ranks stated the graph is loaded once, and so profiled once.
    const ranked = withRanks(graph, unrankedInputs(requiredInputs(graph)), feeds)
    const session = await backend.open(ranked, { ...options, profile: join(folder, 'profile') })
    try {
      for (let i = 0; i < warmup + runs; i++) await session.run(feeds)
    } finally {
      await session[Symbol.asyncDispose]()
    }
    const [file] = await readdir(folder)
    if (file === undefined) throw new SinterError('runtime-failed', `${backend.name} wrote no profile.`)
    return parseProfile(await readFile(join(folder, file), 'utf8'), graph, warmup)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
