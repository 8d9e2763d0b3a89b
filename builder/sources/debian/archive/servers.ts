import { TIMING, type Timing } from '../../../../lib/backoff.ts'
import { PATIENCE, type Patience, type Request } from '../../../../lib/http.ts'
import type { ProxyRule } from '../../../../lib/proxy.ts'
import type { Reporter } from '../../../../lib/reporter.ts'
import { type Reason, type Refusal, reasonOf } from './failure.ts'
import { Health } from './health.ts'
import { PACE, type Pace, Rates } from './rates.ts'

/** A server by its base URL. hangar asks a server of last resort only for files that no mirror has any more. */
export interface Server {
  readonly kind: Refusal['server']
  readonly base: string
}

/** How long hangar waits for servers, and when it changes to another one. Every field has a default. */
export interface Pacing {
  readonly patience?: Patience
  /** The longest wait before the second try, in milliseconds. It doubles for each later try. */
  readonly backoff?: number
  readonly pace?: Pace
  readonly timing?: Timing
  /** Decides on proxies before the environment does. */
  readonly proxy?: ProxyRule
}

export interface ServersOptions extends Pacing {
  readonly reporter: Pick<Reporter, 'notice'>
  readonly signal?: AbortSignal | undefined
}

/** The shortest wait that hangar reports, in milliseconds. */
const NOTABLE = 3000

/** What the transfers of a run share: the state and the rate of each server. */
export class Servers {
  readonly timing: Timing
  readonly backoff: number
  readonly request: Request
  readonly health: Health
  readonly rates: Rates
  private readonly reporter: Pick<Reporter, 'notice'>
  private readonly excluded = new Map<string, Reason>()
  private noticed = 0

  constructor({ patience = PATIENCE, backoff = 500, pace = PACE, timing = TIMING, ...options }: ServersOptions) {
    const { proxy, signal, reporter } = options
    this.timing = timing
    this.backoff = backoff
    this.request = { patience, proxy, signal }
    this.health = new Health(timing, backoff)
    this.rates = new Rates(timing, pace)
    this.reporter = reporter
  }

  /** Asks a server for nothing more in this run. */
  exclude(base: string, reason: Reason): void {
    this.excluded.set(base, reason)
  }

  /** Why a server is not asked any more; undefined for a server that may be asked. */
  exclusion(base: string): Reason | undefined {
    const error = this.health.abandoned(base)
    return this.excluded.get(base) ?? (error && reasonOf(error))
  }

  /** The time at which a server may be asked; infinite while the answer to another request decides. */
  freeAt(base: string): number {
    const readiness = this.health.readiness(base)
    return typeof readiness === 'object' ? readiness.until : 0
  }

  /** Waits until this time, or until the state of a server has changed. `reason` is for the notice of a long wait. */
  async wait(until: number, base: string, reason: string | undefined): Promise<void> {
    const { signal } = this.request
    const changed = this.health.changed()
    if (until === Number.POSITIVE_INFINITY) return changed
    this.noticeWait(until, base, reason)
    const stop = new AbortController()
    const either = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal])
    const slept = this.timing.sleep(until - this.timing.now(), either).catch(() => undefined)
    await Promise.race([changed, slept])
    stop.abort()
    signal?.throwIfAborted()
  }

  private noticeWait(until: number, base: string, reason = 'does not answer'): void {
    const wait = until - this.timing.now()
    if (wait < NOTABLE || until <= this.noticed) return
    this.noticed = until
    this.reporter.notice(`${new URL(base).host}: ${reason}; trying again in ${Math.ceil(wait / 1000)} s`)
  }
}
