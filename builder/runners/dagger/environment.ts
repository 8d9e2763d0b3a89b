import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { requireProgram } from './cli.ts'
import { DAGGER_VERSION } from './version.ts'

/** The environment of Dagger's CLI. */
export function cliEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  // Turns off telemetry, advertising and coloured logs.
  const quiet = { DO_NOT_TRACK: '1', DAGGER_NO_NAG: '1', NO_COLOR: '1' }
  const given = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  // Selects the only log format that names the command of each line.
  return { ...quiet, ...Object.fromEntries(given), DAGGER_PROGRESS: 'plain' }
}

/**
 * The path of Dagger's CLI: the CLI that the environment names, or the CLI that the SDK downloaded
 * (provisioning/bin.js). Undefined: the CLI must be downloaded.
 */
export function findCli(env: NodeJS.ProcessEnv): string | undefined {
  const cache = env.XDG_CACHE_HOME || join(env.HOME || '/root', '.cache')
  const cli = env._EXPERIMENTAL_DAGGER_CLI_BIN || join(cache, 'dagger', `dagger-${DAGGER_VERSION}`)
  return existsSync(cli) ? cli : undefined
}

/** As `findCli`; throws 'engine' when the environment names a file that is not a program. */
export function requireCli(env: NodeJS.ProcessEnv): string | undefined {
  const named = env._EXPERIMENTAL_DAGGER_CLI_BIN
  if (named) requireProgram(named)
  return findCli(env)
}
