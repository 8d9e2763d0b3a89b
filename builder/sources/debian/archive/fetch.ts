import { join } from 'node:path'
import type { Digest } from '../../../../images/digest.ts'
import type { Archive } from '../../../../images/lock.ts'
import { Download, MismatchError } from '../../../../lib/download.ts'
import type { TransferError } from '../../../../lib/http.ts'
import { during, type Reporter, type Step } from '../../../../lib/reporter.ts'
import { forEachAtOnce, stopWith } from '../../../../lib/worker-pool.ts'
import type { Store } from '../../../store/store.ts'
import { ask, type Question } from './ask.ts'
import type { CoverageOf } from './coverage.ts'
import { fetchFailure, type Reason, type Refusal, type Unfetched } from './failure.ts'
import type { Mirrors } from './mirrors.ts'
import { type Pacing, type Server, Servers } from './servers.ts'
import type { Wanted } from './suites.ts'

export interface FetchOptions extends Pacing {
  readonly store: Store
  readonly mirrors: Mirrors
  /** The servers for files that no mirror has any more (see `snapshots`). */
  readonly lastResort?: Mirrors | undefined
  readonly reporter: Reporter
  readonly signal?: AbortSignal | undefined
  /** Whether a server has the whole archive. Without it, hangar believes every server that has no such file. */
  readonly coverage?: CoverageOf | undefined
}

/**
 * 16 parallel transfers hide the latency of a near mirror: 147 MB take 0.9 s, and 2.1 s with 8 transfers. 24 transfers
 * are not faster.
 */
const WORKERS = 16

/**
 * Fetches the files that the store lacks, and verifies their digests. Keeps complete files even if other files fail.
 * Throws GoneError if mirrors of the whole archive lack the files, and UserError for other failures.
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
  const servers = new Servers({ ...options, signal: stop.signal })
  const unfetched: Unfetched[] = []
  await options.store.scratch('fetch', (directory) =>
    forEachAtOnce(missing, { workers: WORKERS, stop }, async (wanted) => {
      const refusals = await fetchOne(wanted, join(directory, wanted.sha256), step, servers, options)
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
  servers: Servers,
  options: FetchOptions,
): Promise<readonly Refusal[] | undefined> {
  const download = await Download.open(wanted, file, (bytes) => step.advance(bytes))
  try {
    const answer = await ask(servers, questionOf(wanted, download, servers, options))
    if (answer.kind === 'refused') return answer.refusals
    await options.store.adopt(file, wanted.sha256)
    return undefined
  } finally {
    await download.close()
  }
}

function questionOf(wanted: Wanted, download: Download, servers: Servers, options: FetchOptions): Question<void> {
  const { archive, path, size } = wanted
  return {
    servers: serversOf(archive, options),
    ...{ path, size },
    fetch: (url, request) => download.from(url, request),
    blame: blameForBytes,
    absence: (server, error) => absenceAt(server, error, wanted, servers, options),
  }
}

/** A web page is no damaged file: the network or the server answers something else. */
function blameForBytes(error: unknown): Reason | undefined {
  if (!(error instanceof MismatchError)) return undefined
  return { kind: error.isWebPage ? 'foreign' : 'mismatch', reason: error.message }
}

/** Asks a server that is no mirror of Debian only once: its other files are not Debian's either. */
async function absenceAt(
  { kind, base }: Server,
  { message }: TransferError,
  { archive, path }: Wanted,
  servers: Servers,
  { coverage }: FetchOptions,
): Promise<Reason> {
  const found = kind === 'mirror' ? await coverage?.(base, archive, path, servers.request) : undefined
  if (found === undefined || found.kind === 'whole') return { kind: 'absent', reason: message }
  const reason = { kind: found.kind, reason: `${message}; ${found.reason}` }
  if (found.kind === 'foreign') servers.exclude(base, reason)
  return reason
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
