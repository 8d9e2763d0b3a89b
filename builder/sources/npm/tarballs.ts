import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { UserError } from '../../../errors.ts'
import { digestOf } from '../../../images/digest.ts'
import type { Integrity } from '../../../images/npm/integrity.ts'
import { packageFiles, TarballError } from '../../../images/npm/tarball.ts'
import { contentFacts, type TarballFacts } from '../../../images/npm/tarball-facts.ts'
import { body, get, PATIENCE, type Patience, TransferError } from '../../../lib/http.ts'
import { during, type Step } from '../../../lib/reporter.ts'
import { forEachAtOnce, stopWith } from '../../../lib/worker-pool.ts'
import type { FetchContext } from '../source.ts'
import { fetchFailure, type Refusal } from './fetch-failure.ts'
import { storeFacts } from './known-facts.ts'
import type { Registries } from './registry.ts'
import type { WantedTarball } from './wanted-tarball.ts'

export interface TarballOptions {
  readonly registries: Registries
  readonly patience?: Patience
  /** Milliseconds before a registry that failed is asked again. */
  readonly backoff?: number
}

/** As many transfers as npm makes (its setting `maxsockets`). */
const WORKERS = 15
const TRIES = 3

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
  const refused: { wanted: WantedTarball; refusal: Refusal }[] = []
  const stop = stopWith(context.signal)
  const fetchOne = async (each: WantedTarball, directory: string, step: Step) => {
    const file = join(directory, digestOf(each.integrity))
    const got = await tryRegistry(each, file, step, options, stop.signal)
    if ('reason' in got) refused.push({ wanted: each, refusal: got })
    else facts.set(each.integrity, await adopted(each, file, got, context))
  }
  const fetchAll = (step: Step) =>
    context.store.scratch('fetch-npm', (directory) =>
      forEachAtOnce(once, { workers: WORKERS, stop }, (each) => fetchOne(each, directory, step)),
    )
  if (once.length > 0) await during(context.reporter, stepName(once), fetchAll, { ending: 'fetched' })
  if (refused.length > 0) throw fetchFailure(refused)
  return facts
}

interface Received {
  readonly sha256: TarballFacts['sha256']
  readonly size: number
}

async function tryRegistry(
  wanted: WantedTarball,
  file: string,
  step: Step,
  options: TarballOptions,
  signal: AbortSignal,
): Promise<Received | Refusal> {
  const url = options.registries.urlOf(wanted.path)
  for (let tries = 1; ; tries += 1) {
    const refusal = await transfer(wanted, url, file, step, options, signal).catch((error: unknown) => {
      if (error instanceof TransferError) return { url, kind: error.kind, status: error.status, reason: error.message }
      throw error
    })
    const isTransient = 'reason' in refusal && ['unreachable', 'slow', 'broken'].includes(refusal.kind)
    if (!isTransient || tries === TRIES) return refusal
    await sleep((options.backoff ?? 250) * 2 ** (tries - 1), undefined, { signal })
  }
}

async function transfer(
  { integrity }: WantedTarball,
  url: string,
  file: string,
  step: Step,
  { registries, patience = PATIENCE }: TarballOptions,
  signal: AbortSignal,
): Promise<Received | Refusal> {
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
  const actual = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
  if (actual !== integrity) return { url, ...mismatch(bytes, actual, integrity, response.headers['content-type']) }
  await writeFile(file, bytes)
  return { sha256: digestOf(bytes), size }
}

const GZIP = [0x1f, 0x8b]

/** A login page, or the error page of a proxy, is a frequent cause of wrong bytes. */
function mismatch(bytes: Buffer, actual: string, wanted: string, type: string | undefined): Omit<Refusal, 'url'> {
  if (GZIP.every((byte, at) => bytes[at] === byte))
    return { kind: 'mismatch', reason: `integrity ${actual}, expected ${wanted}` }
  const got = /html/.test(type ?? '') || /^\s*</.test(bytes.toString('latin1', 0, 64)) ? 'a web page' : 'no tarball'
  return { kind: 'other-content', reason: `the answer is ${got} (${type ?? 'without a type'}, ${bytes.length} bytes)` }
}

/**
 * Moves a tarball into the store, and stores the facts about it. The store gets no tarball that hangar cannot unpack.
 */
async function adopted(
  { package: name, version, integrity }: WantedTarball,
  file: string,
  { sha256, size }: Received,
  { store }: FetchContext,
): Promise<TarballFacts> {
  try {
    const content = contentFacts(packageFiles(await unzip(await readFile(file), { maxOutputLength: LARGEST })))
    await store.adopt(file, sha256)
    const facts = { sha256, size, ...content }
    await storeFacts(store, integrity, facts)
    return facts
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
