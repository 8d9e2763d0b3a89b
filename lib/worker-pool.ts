import { setMaxListeners } from 'node:events'

/** Blobs that are sent or fetched at the same time: enough to fill a line, few enough for a stick. */
const AT_ONCE = 4

/** What ends everything that is under way: the owner, or the first failure. */
export function stopWith(signal: AbortSignal): AbortController {
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  if (signal.aborted) stop.abort(signal.reason)
  signal.addEventListener('abort', () => stop.abort(signal.reason), { signal: stop.signal })
  return stop
}

/** Works on several at a time; the first failure stops the others. */
export async function atOnce<T>(
  items: readonly T[],
  stop: AbortController,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) {
      stop.signal.throwIfAborted()
      await work(item)
    }
  }
  const stopAll = (error: unknown) => {
    stop.abort(error)
    throw error
  }
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => worker().catch(stopAll)))
  const failed = ended.some((each) => each.status === 'rejected')
  if (failed) throw stop.signal.reason
}
