import { setMaxListeners } from 'node:events'

/** An abort controller for a group of tasks: it aborts when `signal` does, or when `forEachAtOnce` sees a failure. */
export function stopWith(signal: AbortSignal | undefined): AbortController {
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  if (signal?.aborted) stop.abort(signal.reason)
  signal?.addEventListener('abort', () => stop.abort(signal.reason), { signal: stop.signal })
  return stop
}

export interface AtOnce {
  /** The number of items that are in work at the same time. */
  readonly workers: number
  /** Aborts at the first failure. `work` should use its signal, so that the other items end early. */
  readonly stop: AbortController
}

/**
 * Runs `work` for every item, and starts no further item after the first failure. The promise settles only when no
 * `work` runs any more, so that callers can then remove the files that `work` uses. It rejects with the first failure.
 */
export async function forEachAtOnce<T>(
  items: Iterable<T>,
  { workers, stop }: AtOnce,
  work: (item: T) => Promise<void>,
): Promise<void> {
  // Takes items from one iterator that all workers share.
  const queue = items[Symbol.iterator]()
  const worker = async () => {
    try {
      for (let next = queue.next(); !next.done; next = queue.next()) {
        stop.signal.throwIfAborted()
        await work(next.value)
      }
    } catch (error) {
      stop.abort(error)
      throw error
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: workers }, worker))
  if (ended.some(({ status }) => status === 'rejected')) throw stop.signal.reason
}

/**
 * Like `Promise.all`, but settles only when every task has ended: callers can then remove files and release leases. Rejects
 * with the first failure in time, for which it aborts `stop`, so that the other tasks end early.
 */
export async function allEnded<T>(tasks: readonly Promise<T>[], stop = new AbortController()): Promise<T[]> {
  const ended = await Promise.allSettled(
    tasks.map((task) =>
      task.catch((error) => {
        stop.abort(error)
        throw error
      }),
    ),
  )
  return ended.map((each) => {
    if (each.status === 'rejected') throw stop.signal.reason
    return each.value
  })
}

/** A function that runs tasks, at most `count` at the same time, in the order of its calls. */
export function limiter(count: number): <T>(task: () => Promise<T>) => Promise<T> {
  let free = count
  const waiting: (() => void)[] = []
  return async (task) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free -= 1
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}
