import { setTimeout as sleep } from 'node:timers/promises'
import { type EngineAddress, engineAddress } from './address.ts'
import { type Cli, startCli } from './cli.ts'
import { downloadFailed, NoAnswer } from './engine-failure.ts'
import { cliEnvironment, requireCli } from './environment.ts'
import { RHYTHM, type Rhythm } from './heartbeat.ts'
import { requireReachable } from './reach.ts'
import { downloadCli, type SdkClient, sdkClient } from './sdk.ts'
import { type SessionPort, sessionFetch } from './session-client.ts'
import { transferred } from './transfer-count.ts'
import { watchEngine } from './watch.ts'

/** How long hangar waits for an engine, in milliseconds. Tests use shorter times. */
export interface Deadlines {
  /** For a connection to the engine's address. */
  readonly connect: number
  /** For the first answer of a named engine: a busy one takes half a minute. Without a limit, the CLI would try forever. */
  readonly answer: number
  /** For the end of the CLI after the last query. */
  readonly close: number
  readonly rhythm: Rhythm
}

export const DEADLINES: Deadlines = { connect: 10_000, answer: 60_000, close: 10_000, rhythm: RHYTHM }

/** An open session of an engine. */
export interface Connection {
  /** The address of the engine. */
  readonly name: string
  readonly version: string
  readonly client: SdkClient
  /** The number of bytes that the CLI has sent to the engine. */
  readonly sent: () => number
  /** The reason for a failure: the engine that is lost, or the given error if the engine still answers. */
  readonly explain: (error: unknown) => Promise<unknown>
  /** Ends the session. `now` kills the CLI; `politely` first lets it end by itself. */
  readonly close: (how: 'politely' | 'now') => Promise<void>
}

export interface Connecting {
  readonly deadlines: Deadlines
  /** Aborts every query. The connection aborts it when the engine is lost. */
  readonly stop: AbortController
  readonly onOutput: (piece: Buffer) => void
}

/** Connects to the engine that the environment names; starts Dagger's CLI unless a session is open already. */
export async function openConnection(env: NodeJS.ProcessEnv, connecting: Connecting): Promise<Connection> {
  const { stop, deadlines } = connecting
  const address = engineAddress(env)
  const file = address.kind === 'session' ? undefined : requireCli(env)
  await requireReachable(address, { signal: stop.signal, timeout: deadlines.connect })
  if (address.kind === 'session') return connectionOf(address, address, undefined, connecting)
  return throughCli(address, file ?? (await downloadedCli(stop.signal)), env, connecting)
}

async function downloadedCli(signal: AbortSignal): Promise<string> {
  try {
    return await unlessStopped(signal, downloadCli())
  } catch (error) {
    throw downloadFailed(error)
  }
}

type HeardCli = Cli & {
  /** The number of bytes of its output. */
  readonly heard: () => number
}

async function throughCli(
  address: EngineAddress,
  file: string,
  env: NodeJS.ProcessEnv,
  connecting: Connecting,
): Promise<Connection> {
  const { stop, deadlines, onOutput } = connecting
  let heard = 0
  const cli = startCli(file, cliEnvironment(env), (piece) => {
    heard += piece.length
    onOutput(piece)
  })
  try {
    // Only a running engine has a deadline: the download of an engine takes minutes.
    const wait = address.kind === 'image' ? cli.session : inTime(cli.session, address, deadlines.answer)
    const session = await unlessStopped(stop.signal, wait)
    return await connectionOf(address, session, { ...cli, heard: () => heard }, connecting)
  } catch (error) {
    await cli.close(0)
    throw error
  }
}

/** Opens the session with a first query, so that a session that does not answer fails here. */
async function connectionOf(
  address: EngineAddress,
  { port, token }: SessionPort,
  cli: HeardCli | undefined,
  { deadlines, stop }: Connecting,
): Promise<Connection> {
  const closed = new AbortController()
  const work = sessionFetch(stop.signal, () => watch?.heard())
  // The heartbeat goes on when a failure has stopped all other queries.
  const pulse = sessionFetch(closed.signal, () => undefined)
  const url = `http://127.0.0.1:${port}/query`
  const [client, heart] = [await sdkClient(url, token, work.fetch), await sdkClient(url, token, pulse.fetch)]
  const close = async (patience: number) => {
    watch?.end()
    stop.abort(new Error('the session has ended'))
    closed.abort()
    await cli?.close(patience)
  }
  let watch: ReturnType<typeof watchEngine> | undefined
  try {
    const version = await inTime(client.version(), address, deadlines.answer)
    watch = watchEngine({
      ...{ address, cli, stop, ask: () => heart.version() },
      ...{ rhythm: deadlines.rhythm, timeout: deadlines.connect },
    })
    return {
      ...{ name: address.name, version, client },
      sent: () => sentBy(cli, work.received() + pulse.received()),
      explain: watch.explain,
      close: (how) => close(how === 'now' ? 0 : deadlines.close),
    }
  } catch (error) {
    await close(0)
    throw error
  }
}

/** Everything that the CLI wrote, except to disks and to hangar. */
function sentBy(cli: HeardCli | undefined, received: number): number {
  if (cli === undefined) return 0
  const { written, toDisk } = transferred(cli.pid)
  return Math.max(0, written - toDisk - received - cli.heard())
}

async function inTime<T>(work: Promise<T>, { name }: EngineAddress, timeout: number): Promise<T> {
  const inTime = new AbortController()
  try {
    const late = sleep(timeout, undefined, { signal: inTime.signal }).then(() => {
      throw new NoAnswer(name, timeout)
    })
    return await Promise.race([work, late])
  } finally {
    inTime.abort()
  }
}

/** Waits for work that has no signal of its own. */
function unlessStopped<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
