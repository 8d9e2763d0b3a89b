import { killCli } from './cli-process.ts'
import { noAnswer } from './engine-failure.ts'
import { namedHost } from './environment.ts'

export interface AttemptOptions {
  readonly signal?: AbortSignal | undefined
  /** How long (ms) an engine that is named, and so runs, may take to answer; the CLI would try for ever. */
  readonly patience?: number
}

/** Waits for a connection; `answered` says that it is there. Until then a stop and the end of patience end it. */
export async function attempt(
  { signal, patience = 30_000 }: AttemptOptions,
  connect: (answered: () => void) => Promise<void>,
): Promise<void> {
  const { host, kind } = namedHost(process.env)
  const givenUp = deferred()
  const stop = () => givenUp.reject(signal?.reason)
  const late = () => givenUp.reject(noAnswer(host, patience))
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  const timer = kind === 'running' ? setTimeout(late, patience) : undefined
  const answered = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
  const connection = connect(answered)
  try {
    await Promise.race([connection, givenUp.promise])
  } catch (error) {
    await withoutCli(connection)
    throw error
  } finally {
    answered()
  }
}

/** Waits for the CLI's end, or the next session's would be taken for it. The SDK may only be about to start it. */
async function withoutCli(connection: Promise<void>): Promise<void> {
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
