import { killCli } from './cli-process.ts'
import { noAnswer } from './engine-failure.ts'
import { namedHost } from './environment.ts'

export interface AttemptOptions {
  readonly signal?: AbortSignal | undefined
  /** The time for a named engine to answer, in milliseconds. Without a limit, the CLI would try forever. */
  readonly timeout?: number
}

/** Waits until `connect` ends. Until `connect` calls `answered`, an abort or the timeout ends the attempt. */
export async function attempt(
  { signal, timeout = 30_000 }: AttemptOptions,
  connect: (answered: () => void) => Promise<void>,
): Promise<void> {
  const { host, kind } = namedHost(process.env)
  const ended = deferred()
  const stop = () => ended.reject(signal?.reason)
  const late = () => ended.reject(noAnswer(host, timeout))
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  const timer = kind === 'running' ? setTimeout(late, timeout) : undefined
  const answered = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
  const connection = connect(answered)
  try {
    await Promise.race([connection, ended.promise])
  } catch (error) {
    await endCli(connection)
    throw error
  } finally {
    answered()
  }
}

/**
 * Stops the CLI, so that the next session does not use this process. Repeats this, because the SDK may start the CLI
 * late.
 */
async function endCli(connection: Promise<void>): Promise<void> {
  if (process.env.DAGGER_SESSION_PORT) return
  const killing = setInterval(killCli, 100)
  await connection.catch(() => undefined)
  clearInterval(killing)
}

function deferred() {
  let reject: (reason: unknown) => void = () => undefined
  const promise = new Promise<never>((_, refuse) => {
    reject = refuse
  })
  promise.catch(() => undefined)
  return { promise, reject }
}
