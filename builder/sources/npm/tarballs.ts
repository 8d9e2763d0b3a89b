import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { UserError } from '../../../errors.ts'
import { type Integrity, sha512Of } from '../../../images/npm/integrity.ts'
import { packageFiles, TarballError } from '../../../images/npm/tarball.ts'
import { contentFacts, type TarballFacts } from '../../../images/npm/tarball-facts.ts'
import { TIMING, waitAfter } from '../../../lib/backoff.ts'
import { body, get, PATIENCE, type Patience, TransferError } from '../../../lib/http.ts'
import { during, type Step } from '../../../lib/reporter.ts'
import { forEachAtOnce, stopWith } from '../../../lib/worker-pool.ts'
import type { FetchContext } from '../source.ts'
import { fetchFailure, type Refusal, type Refused } from './fetch-failure.ts'
import { storeFacts } from './known-facts.ts'
import type { Registries } from './registry.ts'
import type { WantedTarball } from './wanted-tarball.ts'

export interface TarballOptions {
  readonly registries: Registries
  readonly patience?: Patience
  /** The wait after the first failure of a registry, in milliseconds. It doubles with each further failure. */
  readonly backoff?: number
}

/** As many transfers as npm makes (its setting `maxsockets`). */
const WORKERS = 15
const TRIES = 3
const BACKOFF = 250

/** The largest tarball, in bytes. A registry without an end must not fill the disk. */
const LARGEST = 1024 ** 3

/**
 * Fetches tarballs into the store. Only bytes with the SHA-512 of the lock get there. Keeps complete tarballs even if
 * others fail. Throws GoneError if the registry lacks tarballs, and UserError for other failures.
 */
export async function fetchTarballs(
  wanted: readonly WantedTarball[],
  options: TarballOptions,
  context: FetchContext,
): Promise<Map<Integrity, TarballFacts>> {
  const once = [...new Map(wanted.map((each) => [each.integrity, each])).values()]
  const facts = new Map<Integrity, TarballFacts>()
  const refused: Refused[] = []
  const stop = stopWith(context.signal)
  const fetchOne = async (each: WantedTarball, step: Step) => {
    const got = await tryRegistry(each, step, options, stop.signal)
    if ('reason' in got) refused.push({ wanted: each, refusal: got })
    else facts.set(each.integrity, await stored(each, got, context))
  }
  const fetchAll = (step: Step) => forEachAtOnce(once, { workers: WORKERS, stop }, (each) => fetchOne(each, step))
  if (once.length > 0) await during(context.reporter, stepName(once), fetchAll, { ending: 'fetched' })
  if (refused.length > 0) throw fetchFailure(refused)
  return facts
}

/** The bytes of a tarball, or the reason why the registry did not send them in any of the tries. */
async function tryRegistry(
  wanted: WantedTarball,
  step: Step,
  options: TarballOptions,
  signal: AbortSignal,
): Promise<Buffer | Refusal> {
  const url = options.registries.urlOf(wanted.path)
  for (let failures = 1; ; failures += 1) {
    try {
      return await transfer(wanted, url, step, options, signal)
    } catch (error) {
      if (!(error instanceof TransferError)) throw error
      const { kind, status, message: reason, retryAfter } = error
      if (!error.isTransient || failures === TRIES) return { url, kind, status, reason }
      await TIMING.sleep(waitAfter(failures, options.backoff ?? BACKOFF, TIMING, retryAfter), signal)
    }
  }
}

async function transfer(
  { integrity }: WantedTarball,
  url: string,
  step: Step,
  { registries, patience = PATIENCE }: TarballOptions,
  signal: AbortSignal,
): Promise<Buffer | Refusal> {
  const { proxy, authorities } = registries
  const request = { headers: registries.headersFor(url), patience, signal, proxy, authorities }
  const response = await get(url, request)
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body(response, request)) {
    size += piece.length
    if (size > LARGEST) throw new TransferError('refused', `longer than ${LARGEST} bytes`)
    pieces.push(piece)
    step.advance(piece.length)
  }
  const bytes = Buffer.concat(pieces)
  const stated = Number(response.headers['content-length'] ?? size)
  if (size < stated) throw new TransferError('broken', `ended after ${size} of ${stated} bytes`)
  const actual = sha512Of(bytes)
  if (actual !== integrity) return { url, ...mismatch(bytes, actual, integrity, response.headers['content-type']) }
  return bytes
}

const GZIP = [0x1f, 0x8b]

/** A login page, or the error page of a proxy, is a frequent cause of wrong bytes. */
function mismatch(bytes: Buffer, actual: string, wanted: string, type: string | undefined): Omit<Refusal, 'url'> {
  if (GZIP.every((byte, at) => bytes[at] === byte))
    return { kind: 'mismatch', reason: `integrity ${actual}, expected ${wanted}` }
  const got = /html/.test(type ?? '') || /^\s*</.test(bytes.toString('latin1', 0, 64)) ? 'a web page' : 'no tarball'
  return { kind: 'other-content', reason: `the answer is ${got} (${type ?? 'without a type'}, ${bytes.length} bytes)` }
}

/** Adds a tarball and the facts about it to the store. The store gets no tarball that hangar cannot unpack. */
async function stored(wanted: WantedTarball, bytes: Buffer, { store }: FetchContext): Promise<TarballFacts> {
  const content = await contentOf(wanted, bytes)
  const facts = { sha256: await store.putBytes(bytes), size: bytes.length, ...content }
  await storeFacts(store, wanted.integrity, facts)
  return facts
}

async function contentOf({ package: name, version }: WantedTarball, bytes: Buffer) {
  try {
    return contentFacts(packageFiles(await unzip(bytes, { maxOutputLength: LARGEST })))
  } catch (cause) {
    if (!(cause instanceof TarballError || isZlibError(cause))) throw cause
    const reason = cause instanceof TarballError ? cause.message : `is no gzip file: ${(cause as Error).message}`
    throw new UserError('lock', `the tarball of '${name}@${version}' ${reason}`, {
      hint: `hangar unpacks no such tarball: use another version of '${name}', and tell its authors`,
      cause,
    })
  }
}

const unzip = promisify(gunzip) as (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>

function isZlibError(error: unknown): boolean {
  return /^(Z_|ERR_BUFFER_TOO_LARGE|ERR__ERROR)/.test(String((error as NodeJS.ErrnoException).code))
}

function stepName(wanted: readonly WantedTarball[]): string {
  const [only] = wanted
  if (wanted.length === 1 && only !== undefined) return `fetch ${only.package}@${only.version}`
  return `fetch ${wanted.length} npm packages`
}
