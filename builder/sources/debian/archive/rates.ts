import type { Timing } from '../../../../lib/backoff.ts'
import { formatSize } from '../../../../lib/format.ts'
import { TransferError, type Watch } from '../../../../lib/http.ts'

/** When a slow connection is abandoned for another server. Rates are in bytes per second. */
export interface Pace {
  /** The period in milliseconds over which a rate is measured. */
  readonly every: number
  /** The number of periods before the first decision: a connection starts slowly. */
  readonly grace: number
  /** A connection is abandoned if another server sends this many times faster. */
  readonly factor: number
  /** Below this rate, a connection is abandoned for a server whose rate is unknown. */
  readonly floor: number
  /** A transfer that ends within this number of seconds goes on. */
  readonly short: number
}

export const PACE: Pace = { every: 1000, grace: 3, factor: 4, floor: 32 * 1024, short: 5 }

/** A measurement over fewer bytes says more about buffers than about the server. */
const MEASURABLE = 64 * 1024

/** The error for a connection that hangar gave up, to go on at the server `instead`. */
export class Outpaced extends TransferError {
  readonly instead: string

  constructor(message: string, instead: string) {
    super('slow', message)
    this.instead = instead
  }
}

/** A connection to the server `base`. */
export interface Connection {
  readonly base: string
  /** Whether the transfer may still continue at another server. */
  readonly mayChange: boolean
  /** The number of bytes that are still to come. */
  remaining(): number
  /** The other servers that may be asked for the same file now. */
  others(): readonly string[]
}

/** The rates of single connections to each server, for all transfers of a run. */
export class Rates {
  private readonly known = new Map<string, number>()
  private readonly tried = new Set<string>()
  private readonly timing: Timing
  private readonly pace: Pace

  constructor(timing: Timing, pace: Pace) {
    this.timing = timing
    this.pace = pace
  }

  /** Whether one of the other servers is known to be much faster. */
  isOutpaced(base: string, others: readonly string[]): boolean {
    const rate = this.known.get(base)
    return rate !== undefined && others.some((other) => this.isMuchFaster(other, rate))
  }

  watch(connection: Connection): Watch & { ended(): void } {
    const { base } = connection
    const { now } = this.timing
    let [periods, rate, arrived, since] = [0, 0, 0, now()]
    const take = () => {
      const seconds = Math.max(1, now() - since) / 1000
      const latest = arrived / seconds
      arrived = 0
      since = now()
      return latest
    }
    return {
      every: this.pace.every,
      arrived: (bytes) => {
        // The time until the first byte is the latency, not the rate.
        if (arrived === 0 && periods === 0) since = now()
        arrived += bytes
      },
      check: () => {
        const latest = take()
        rate = periods === 0 ? latest : (rate + latest) / 2
        periods += 1
        this.note(base, rate)
        return periods < this.pace.grace ? undefined : this.decide(connection, rate)
      },
      ended: () => {
        if (arrived >= MEASURABLE) this.note(base, take())
        this.tried.delete(base)
      },
    }
  }

  private decide({ base, mayChange, remaining, others }: Connection, rate: number): Outpaced | undefined {
    if (!mayChange || remaining() <= rate * this.pace.short) return undefined
    const usable = others()
    const [best] = [...usable].sort((a, b) => this.rateOf(b) - this.rateOf(a))
    if (best !== undefined && this.isMuchFaster(best, rate)) {
      return new Outpaced(`${perSecond(rate)}, and ${hostOf(best)} sends ${perSecond(this.rateOf(best))}`, best)
    }
    const isFarBelowPeers = this.isMuchFaster(base, rate)
    // A new connection to the same server may take another path.
    if (best === undefined) return isFarBelowPeers ? new Outpaced(perSecond(rate), base) : undefined
    // One connection at a time tries a server of unknown rate.
    const unknown = usable.find((each) => !this.known.has(each) && !this.tried.has(each))
    if (unknown === undefined || !(isFarBelowPeers || rate < this.pace.floor)) return undefined
    this.tried.add(unknown)
    return new Outpaced(perSecond(rate), unknown)
  }

  private isMuchFaster(base: string, rate: number): boolean {
    return this.rateOf(base) >= Math.max(1, rate * this.pace.factor)
  }

  private rateOf(base: string): number {
    return this.known.get(base) ?? 0
  }

  /** New measurements count more than old ones, because rates change. */
  private note(base: string, rate: number): void {
    const before = this.known.get(base)
    this.known.set(base, before === undefined ? rate : before * 0.7 + rate * 0.3)
  }
}

function perSecond(rate: number): string {
  return `${formatSize(Math.round(rate))}/s`
}

function hostOf(base: string): string {
  return new URL(base).host
}
