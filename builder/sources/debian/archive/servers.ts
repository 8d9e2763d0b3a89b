import { setTimeout as sleep } from 'node:timers/promises'
import { type Download, MismatchError } from '../../../../lib/download.ts'
import { type Request, TransferError } from '../../../../lib/http.ts'
import type { Refusal } from './failure.ts'

/** How many times hangar asks a server for a file if the server does not answer or the connection breaks. */
const TRIES = 3
const TRANSIENT: readonly Refusal['kind'][] = ['unreachable', 'slow', 'broken']

/** A server by its base URL. hangar asks a server of last resort only for files that no mirror has any more. */
export interface Server {
  readonly kind: Refusal['server']
  readonly base: string
}

/** Counts the failures of each server, so that hangar does not wait for a dead server again for every file. */
export class Health {
  private readonly failures = new Map<string, number>()

  isDead(url: string): boolean {
    return (this.failures.get(new URL(url).host) ?? 0) >= TRIES
  }

  note(url: string, outcome: Refusal['kind'] | 'good'): void {
    const { host } = new URL(url)
    if (outcome === 'unreachable' || outcome === 'slow') this.failures.set(host, (this.failures.get(host) ?? 0) + 1)
    else this.failures.delete(host)
  }
}

export interface Attempts {
  readonly request: Request
  readonly health: Health
  /**
   * The wait before the second round over the servers, in milliseconds. The wait before the third round is twice as
   * long.
   */
  readonly backoff: number
}

/**
 * Fetches a file. Asks the mirrors in rounds, until a mirror sends the file or every mirror has refused it or failed
 * three times. Then asks each server of last resort once. Returns undefined if the file is complete, otherwise the
 * refusal of each server.
 */
export async function downloadFrom(
  servers: readonly Server[],
  path: string,
  download: Download,
  attempts: Attempts,
): Promise<Refusal[] | undefined> {
  const refusals = new Map<string, Refusal>()
  const round = async (kind: Server['kind']) => {
    for (const { base } of servers.filter((server) => server.kind === kind)) {
      const url = `${base}/${path.split('/').map(encodeURIComponent).join('/')}`
      const before = refusals.get(url)
      if (before !== undefined && !TRANSIENT.includes(before.kind)) continue
      const refused = await attempt(download, url, attempts)
      if (refused === undefined) return true
      refusals.set(url, { server: kind, url, ...(before !== undefined && refused.dead ? before : refused) })
    }
    return false
  }
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (tries > 0) await pause(attempts, tries)
    if (await round('mirror')) return undefined
    const again = [...refusals.values()].some(
      ({ kind, url }) => TRANSIENT.includes(kind) && !attempts.health.isDead(url),
    )
    if (!again) break
  }
  return (await round('last-resort')) ? undefined : [...refusals.values()]
}

async function attempt(
  download: Download,
  url: string,
  { health, request }: Attempts,
): Promise<(Pick<Refusal, 'kind' | 'reason'> & { dead: boolean }) | undefined> {
  if (health.isDead(url)) return { kind: 'unreachable', reason: 'does not answer', dead: true }
  try {
    await download.from(url, request)
    health.note(url, 'good')
    return undefined
  } catch (error) {
    if (error instanceof MismatchError) return { kind: 'mismatch', reason: error.message, dead: false }
    if (!(error instanceof TransferError)) throw error
    health.note(url, error.kind)
    return { kind: error.kind, reason: error.message, dead: false }
  }
}

async function pause({ backoff, request }: Attempts, tries: number): Promise<void> {
  await sleep(backoff * 2 ** (tries - 1), undefined, request.signal === undefined ? {} : { signal: request.signal })
}
