import { waitAfter } from '../../../../lib/backoff.ts'
import { type Request, TransferError, type Watch } from '../../../../lib/http.ts'
import { bestOf, type Candidate, candidateFor, freeAt, isFree, openOf, refusalOf } from './candidates.ts'
import { type Reason, type Refusal, reasonOf } from './failure.ts'
import { type Asked, triesFor } from './health.ts'
import { Outpaced } from './rates.ts'
import type { Server, Servers } from './servers.ts'

/** One thing to fetch, which each server has at the same path. */
export interface Question<T> {
  readonly servers: readonly Server[]
  readonly path: string
  /** The expected number of bytes. */
  readonly size: number
  /** Fetches from one server. A later call may continue what an earlier call began. */
  fetch(url: string, request: Request): Promise<T>
  /** The reason that an error of `fetch` gives, if its server is to blame. No TransferError gets here. */
  blame(error: unknown): Reason | undefined
  /** What it means that a server has no such file. */
  absence(server: Server, error: TransferError): Promise<Reason>
}

export type Answer<T> =
  | { readonly kind: 'good'; readonly value: T }
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal[] }

/** A failure after less progress than this counts like a failure without progress. */
const PROGRESS = 256 * 1024

/**
 * Asks the mirrors, in their order, until one sends the file, or each one has refused it or failed too often. A mirror that
 * failed, or that is much slower than another one, comes after the others. Then asks each server of last resort once.
 */
export async function ask<T>(servers: Servers, question: Question<T>): Promise<Answer<T>> {
  const path = question.path.split('/').map(encodeURIComponent).join('/')
  const all = question.servers.map((server) => candidateFor(server, `${server.base}/${path}`))
  let instead: string | undefined
  for (;;) {
    const turn = await nextTurn(all, servers, instead)
    if (turn === undefined) return { kind: 'refused', refusals: all.flatMap(refusalOf) }
    const outcome = await attempt(turn, all, servers, question)
    if (outcome.kind === 'good') return outcome
    instead = outcome.instead
  }
}

/** The right to ask a server now. */
interface Turn {
  readonly at: Candidate
  readonly asked: Asked
}

/** The next turn. Waits until a server may be asked. Undefined when every server is out. */
async function nextTurn(
  all: readonly Candidate[],
  servers: Servers,
  instead: string | undefined,
): Promise<Turn | undefined> {
  for (;;) {
    servers.request.signal?.throwIfAborted()
    const open = openOf(all, servers)
    const [first] = open
    if (first === undefined) return undefined
    const best = bestOf(
      open.filter((each) => isFree(each, servers)),
      servers,
      instead,
    )
    // At once, so that no other transfer takes the same turn.
    if (best !== undefined) return { at: best, asked: servers.health.ask(best.server.base) }
    const soonest = open.reduce((one, other) => (freeAt(other, servers) < freeAt(one, servers) ? other : one), first)
    await servers.wait(freeAt(soonest, servers), soonest.server.base, soonest.reason?.reason)
  }
}

type Outcome<T> = { readonly kind: 'good'; readonly value: T } | { readonly kind: 'failed'; readonly instead?: string }

async function attempt<T>(
  { at, asked }: Turn,
  all: readonly Candidate[],
  servers: Servers,
  question: Question<T>,
): Promise<Outcome<T>> {
  const progress = { bytes: 0 }
  const watch = watchOf(at, all, servers, asked, question.size, progress)
  try {
    const value = await question.fetch(at.url, { ...servers.request, watch })
    asked.answered()
    return { kind: 'good', value }
  } catch (error) {
    if (progress.bytes >= PROGRESS) at.failures = 0
    if (error instanceof Outpaced) {
      at.turns += 1
      at.reason = reasonOf(error)
      return { kind: 'failed', instead: error.instead }
    }
    await noteFailure(at, error, servers, asked, question)
    return { kind: 'failed' }
  } finally {
    asked.ended()
    watch.ended()
  }
}

function watchOf(
  at: Candidate,
  all: readonly Candidate[],
  servers: Servers,
  asked: Asked,
  size: number,
  progress: { bytes: number },
): Watch & { ended(): void } {
  const { base } = at.server
  const others = () => openOf(all, servers).filter((each) => each !== at && isFree(each, servers))
  const rate = servers.rates.watch({
    base,
    // Without a bound, a file could change to and fro between servers whose rates vary.
    mayChange: all.reduce((sum, { turns }) => sum + turns, 0) < 2 * all.length,
    remaining: () => size - progress.bytes,
    others: () => others().map(({ server }) => server.base),
  })
  return {
    ...rate,
    arrived: (bytes) => {
      asked.answered()
      progress.bytes += bytes
      rate.arrived(bytes)
    },
  }
}

async function noteFailure<T>(
  at: Candidate,
  error: unknown,
  servers: Servers,
  asked: Asked,
  question: Question<T>,
): Promise<void> {
  if (error instanceof TransferError && error.isTransient) return noteTransient(at, error, servers, asked)
  const reason = await lastingReason(at, error, question)
  if (reason === undefined) throw error
  asked.answered()
  at.reason = reason
  at.isOut = true
}

/** Why the server will never send the file; undefined for an error that no server causes. */
async function lastingReason<T>(at: Candidate, error: unknown, question: Question<T>): Promise<Reason | undefined> {
  if (!(error instanceof TransferError)) return question.blame(error)
  if (error.kind === 'absent') return question.absence(at.server, error)
  return reasonOf(error)
}

/** A broken connection concerns one file; no answer, or an answer such as HTTP 503, concerns the whole server. */
function noteTransient(at: Candidate, error: TransferError, servers: Servers, asked: Asked): void {
  const concernsServer = error.kind !== 'broken' || error.status !== undefined
  if (concernsServer) asked.failed(error)
  const { timing, backoff } = servers
  at.failures += 1
  at.until = timing.now() + waitAfter(at.failures, backoff, timing, error.retryAfter)
  at.reason = reasonOf(error)
  at.isOut = at.failures >= (at.server.kind === 'last-resort' ? 1 : triesFor(error))
}
