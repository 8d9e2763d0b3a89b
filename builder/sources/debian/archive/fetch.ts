import { join } from 'node:path'
import type { Digest } from '../../../../images/digest.ts'
import type { Archive } from '../../../../images/lock.ts'
import { Download } from '../../../../lib/download.ts'
import { PATIENCE, type Patience } from '../../../../lib/http.ts'
import { during, type Reporter, type Step } from '../../../../lib/reporter.ts'
import { forEachAtOnce, stopWith } from '../../../../lib/worker-pool.ts'
import type { Store } from '../../../store/store.ts'
import { fetchFailure, type Refusal, type Unfetched } from './failure.ts'
import type { Mirrors } from './mirrors.ts'
import { type Attempts, downloadFrom, Health, type Server } from './servers.ts'
import type { Wanted } from './suites.ts'

export interface FetchOptions {
  readonly store: Store
  readonly mirrors: Mirrors
  /** The servers for files that no mirror has any more (see `snapshots`). */
  readonly lastResort?: Mirrors | undefined
  readonly reporter: Reporter
  readonly signal?: AbortSignal | undefined
  readonly patience?: Patience
  /** The wait before hangar tries failed mirrors again, in milliseconds. */
  readonly backoff?: number
}

/**
 * 16 parallel transfers hide the latency of a near mirror: 147 MB take 0.9 s, and 2.1 s with 8 transfers. 24 transfers
 * are not faster.
 */
const WORKERS = 16

/**
 * Fetches the files that the store lacks, and verifies their digests. Keeps complete files even if other files fail.
 * Throws GoneError if every mirror that answered lacks a file, and UserError for other failures.
 */
export async function fetchObjects(wanted: readonly Wanted[], options: FetchOptions): Promise<void> {
  const missing = missingFrom(options.store, wanted)
  if (missing.length === 0) return
  const total = missing.reduce((sum, { size }) => sum + size, 0)
  const fetchStep = async (step: Step) => {
    const unfetched = await fetchAll(missing, step, options)
    if (unfetched.length > 0) throw fetchFailure(unfetched)
  }
  await during(options.reporter, stepName(missing), fetchStep, { totalBytes: total, ending: 'fetched' })
}

function missingFrom(store: Store, wanted: readonly Wanted[]): Wanted[] {
  const each = new Map<Digest, Wanted>(wanted.map((item) => [item.sha256, item]))
  return [...each.values()].filter((item) => !store.has(item.sha256, item.size))
}

async function fetchAll(missing: readonly Wanted[], step: Step, options: FetchOptions): Promise<Unfetched[]> {
  // A failure that no mirror causes (a full disk, Ctrl-C) also stops the other transfers.
  const stop = stopWith(options.signal)
  const { patience = PATIENCE, backoff = 250 } = options
  const attempts: Attempts = { request: { patience, signal: stop.signal }, health: new Health(), backoff }
  const unfetched: Unfetched[] = []
  await options.store.scratch('fetch', (directory) =>
    forEachAtOnce(missing, { workers: WORKERS, stop }, async (wanted) => {
      const refusals = await fetchOne(wanted, join(directory, wanted.sha256), step, attempts, options)
      if (refusals !== undefined) unfetched.push({ wanted, refusals })
    }),
  )
  return unfetched
}

/** Fetches one file into the store. If no server provides the file, returns the refusal of each server. */
async function fetchOne(
  wanted: Wanted,
  file: string,
  step: Step,
  attempts: Attempts,
  options: FetchOptions,
): Promise<readonly Refusal[] | undefined> {
  const download = await Download.open(wanted, file, (bytes) => step.advance(bytes))
  try {
    const refusals = await downloadFrom(serversOf(wanted.archive, options), wanted.path, download, attempts)
    if (refusals === undefined) await options.store.adopt(file, wanted.sha256)
    return refusals
  } finally {
    await download.close()
  }
}

function serversOf(archive: Archive, { mirrors, lastResort }: FetchOptions): Server[] {
  const server = (kind: Server['kind']) => (base: string) => ({ kind, base })
  return [...mirrors[archive].map(server('mirror')), ...(lastResort?.[archive] ?? []).map(server('last-resort'))]
}

function stepName(missing: readonly Wanted[]): string {
  const [only] = missing
  if (missing.length === 1 && only !== undefined) return `fetch ${only.path.split('/').at(-1)}`
  return `fetch ${missing.length} files`
}
