/** The rhythm of a heartbeat. Tests use a faster one. */
export interface Rhythm {
  /** The time between two looks, in milliseconds. */
  readonly tick: number
  /** The number of quiet ticks after which hangar queries the engine. */
  readonly ask: number
  /** The number of quiet ticks after which the engine counts as lost. */
  readonly patience: number
}

/** A lost network shows after 12 s. A busy engine answers within that time, because the query needs no work. */
export const RHYTHM: Rhythm = { tick: 1000, ask: 3, patience: 12 }

export interface Heartbeat {
  /** Tells that the engine has just answered. */
  readonly heard: () => void
  readonly end: () => void
}

export interface Watched {
  /** A cheap query; resolves when the engine answers. */
  readonly ask: () => Promise<unknown>
  /** Whether data has moved since the last call. A slow upload can delay the answer to a query. */
  readonly moved: () => boolean
  /** Called once, when the engine is lost, with the time without an answer in milliseconds. */
  readonly lost: (silence: number) => void
}

/**
 * Watches an engine. Counts ticks instead of the time: when this process was suspended or busy, answers may be waiting
 * unread, and only one tick has passed.
 */
export function startHeartbeat({ ask, moved, lost }: Watched, { tick, ask: after, patience }: Rhythm): Heartbeat {
  let quiet = 0
  let isAsking = false
  const heard = () => {
    quiet = 0
  }
  const askOnce = async () => {
    isAsking = true
    await ask().then(heard, () => undefined)
    isAsking = false
  }
  const end = () => clearInterval(timer)
  const look = () => {
    quiet = moved() ? 0 : quiet + 1
    if (quiet >= after && !isAsking) void askOnce()
    if (quiet < patience) return
    end()
    lost(quiet * tick)
  }
  const timer = setInterval(look, tick)
  return { heard, end }
}
