import { type Timing, waitAfter } from '../../../../lib/backoff.ts'
import type { TransferError } from '../../../../lib/http.ts'

/** The failures in a row after which hangar abandons a server for this run: failures without an answer. */
export const SILENT_TRIES = 4
/** As `SILENT_TRIES`, for answers such as HTTP 503. */
export const BUSY_TRIES = 8

/** Whether a server may be asked: now, not before a time, not before the answer to a running request, or never. */
export type Readiness = 'now' | { readonly until: number } | 'dead'

interface State {
  /** Failures in a row. */
  failures: number
  pauses: number
  until: number
  isProbed: boolean
  isDead: boolean
  /** The last failure that counted. */
  error: TransferError | undefined
}

const UNKNOWN: State = { failures: 0, pauses: 0, until: 0, isProbed: false, isDead: false, error: undefined }

/** One request to a server. */
export interface Asked {
  /** The server answered this request. */
  answered(): void
  /** The server did not answer, or answered that it cannot work now. */
  failed(error: TransferError): void
  /** The request is over. */
  ended(): void
}

/**
 * The state of each server, for all transfers of a run. A failing server is left alone for a while, so that its failures do
 * not cost each file a try, and then gets one request, whose outcome decides for all.
 */
export class Health {
  private readonly states = new Map<string, State>()
  private readonly timing: Timing
  private readonly backoff: number
  private waiting: (() => void)[] = []

  constructor(timing: Timing, backoff: number) {
    this.timing = timing
    this.backoff = backoff
  }

  readiness(base: string): Readiness {
    const { failures, until, isProbed, isDead } = this.state(base)
    if (isDead) return 'dead'
    if (failures > 0 && isProbed) return { until: Number.POSITIVE_INFINITY }
    return until > this.timing.now() ? { until } : 'now'
  }

  /** Why a server is abandoned; undefined for a server that may be asked. */
  abandoned(base: string): TransferError | undefined {
    const { isDead, error } = this.state(base)
    return isDead ? error : undefined
  }

  /** Resolves when the state of any server has changed. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  ask(base: string): Asked {
    const state = this.state(base)
    const { pauses } = state
    const probes = state.failures > 0
    state.isProbed ||= probes
    // The outcome of a request from before a pause tells nothing new.
    const isCurrent = () => state.pauses === pauses
    const ended = () => {
      if (probes && isCurrent()) state.isProbed = false
      this.wake()
    }
    return {
      ended,
      answered: () => {
        if (!isCurrent() || state.failures === 0) return
        Object.assign(state, { failures: 0, until: 0, isProbed: false })
        this.wake()
      },
      failed: (error) => {
        if (!isCurrent()) return
        const failures = state.failures + 1
        const until = this.timing.now() + waitAfter(failures, this.backoff, this.timing, error.retryAfter)
        const isDead = failures >= triesFor(error)
        Object.assign(state, { failures, until, pauses: pauses + 1, isProbed: false, isDead, error })
        this.wake()
      },
    }
  }

  private state(base: string): State {
    const { host } = new URL(base)
    const state = this.states.get(host) ?? { ...UNKNOWN }
    this.states.set(host, state)
    return state
  }

  private wake(): void {
    const waiting = this.waiting
    this.waiting = []
    for (const resume of waiting) resume()
  }
}

/** A server that answers with an error is alive: it gets more time than a server that does not answer. */
export function triesFor({ status }: TransferError): number {
  return status === undefined ? SILENT_TRIES : BUSY_TRIES
}
