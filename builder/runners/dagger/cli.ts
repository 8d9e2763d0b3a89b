import { accessSync, constants, type Stats, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { UserError } from '../../../errors.ts'
import { type Child, type Ending, endChild, endOf, startChild } from '../../../lib/subprocess.ts'
import { WITHOUT_ENGINE } from './engine-failure.ts'
import type { SessionPort } from './session-client.ts'
import { DAGGER_VERSION } from './version.ts'

/** A running CLI of Dagger with one session. */
export interface Cli {
  readonly pid: number | undefined
  /** The session, when the CLI has reached its engine. Rejects when the CLI ends before. */
  readonly session: Promise<SessionPort>
  /** How the CLI ended. Rejects when this machine could not start it, or when a signal of this machine ended it. */
  readonly ended: Promise<Ending>
  /** Ends the session, and waits until the CLI has ended. Kills a CLI that takes longer than this, in milliseconds. */
  readonly close: (patience: number) => Promise<void>
}

/** The arguments of the SDK (provisioning/bin.js). */
const LABELS = ['sdk.name:nodejs', `sdk.version:${DAGGER_VERSION}`].flatMap((each) => ['--label', `dagger.io/${each}`])

/** Starts a session of Dagger's CLI. The kernel kills the CLI when this process ends, even by SIGKILL. */
export function startCli(file: string, env: Record<string, string>, onOutput: (piece: Buffer) => void): Cli {
  const child = startChild({ file, args: [], env }, ['session', ...LABELS])
  child.stdin.on('error', () => undefined)
  child.stderr.on('data', onOutput)
  const ended = endOf(child)
  const session = firstLine(child, ended).then(parseSession)
  for (const each of [ended, session]) each.catch(() => undefined)
  return { pid: child.pid, session, ended, close: (patience) => closeCli(child, ended, patience) }
}

/** The CLI ends its session when its standard input ends (cmd/dagger/session.go). */
async function closeCli(child: Child, ended: Promise<Ending>, patience: number): Promise<void> {
  child.stdin.end()
  const kill = () => {
    // The CLI is the leader of a process group, together with the programs that connect it to its engine.
    if (child.pid !== undefined) killGroup(child.pid)
    endChild(child)
  }
  const timer = patience > 0 ? setTimeout(kill, patience) : undefined
  if (timer === undefined) kill()
  await ended.catch(() => undefined)
  clearTimeout(timer)
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // The group has ended in the meantime.
  }
}

async function firstLine(child: Child, ended: Promise<Ending>): Promise<string> {
  const lines = createInterface({ input: child.stdout })
  const line = new Promise<string>((resolve) => void lines.once('line', resolve))
  const end = ended.then((ending) => Promise.reject(new CliEnded(ending)))
  return Promise.race([line, end])
}

/** The CLI ended although hangar needs its session. */
export class CliEnded extends Error {
  constructor({ code, signal }: Ending) {
    super(`Dagger's CLI ended ${signal === null ? `with status ${code ?? 'unknown'}` : `by the signal ${signal}`}`)
    this.name = 'CliEnded'
  }
}

function parseSession(line: string): SessionPort {
  try {
    const { port, session_token: token } = JSON.parse(line) as Record<string, unknown>
    if (typeof port === 'number' && typeof token === 'string') return { port, token }
  } catch {
    // The text is no JSON.
  }
  throw new Error(`Dagger's CLI printed '${line.slice(0, 80)}', wanted the port of a session`)
}

/** Throws 'engine' when a file cannot be Dagger's CLI. */
export function requireProgram(file: string): void {
  const problem = programProblem(file)
  if (problem === undefined) return
  throw new UserError('engine', `cannot start Dagger's CLI '${file}': ${problem.what}`, {
    hint: `${problem.remedy}, or unset _EXPERIMENTAL_DAGGER_CLI_BIN to download the CLI; or ${WITHOUT_ENGINE}`,
  })
}

function programProblem(file: string): { readonly what: string; readonly remedy: string } | undefined {
  const correct = 'correct _EXPERIMENTAL_DAGGER_CLI_BIN=/path/to/dagger'
  const found = statAt(file)
  if (found === undefined) return { what: 'it does not exist', remedy: correct }
  if (found.isDirectory()) {
    const inside = statAt(`${file}/dagger`)?.isFile() ? `name the program in it: '${file}/dagger'` : correct
    return { what: 'it is a directory', remedy: inside }
  }
  if (!found.isFile()) return { what: 'it is not a file', remedy: correct }
  try {
    accessSync(file, constants.X_OK)
    return undefined
  } catch {
    return { what: 'it is not executable', remedy: `${correct}, or make it executable: chmod +x '${file}'` }
  }
}

function statAt(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
