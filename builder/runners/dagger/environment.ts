import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../../errors.ts'
import { DAGGER_VERSION } from './version.ts'

/** Sets the environment variables of this process that the SDK and its CLI read. */
export function prepareEnvironment(env: NodeJS.ProcessEnv): void {
  nameCli(env)
  // Turns off telemetry, advertising and coloured logs.
  env.DO_NOT_TRACK ??= '1'
  env.DAGGER_NO_NAG ??= '1'
  env.NO_COLOR ??= '1'
  // Selects the only log format that names the command of each line.
  env.DAGGER_PROGRESS = 'plain'
}

/** The engine that the environment names, and whether Dagger has to download that engine first. */
export function namedHost(env: NodeJS.ProcessEnv): { readonly host: string; readonly kind: 'running' | 'downloaded' } {
  if (env.DAGGER_SESSION_PORT) return { host: `127.0.0.1:${env.DAGGER_SESSION_PORT}`, kind: 'running' }
  const host = env._EXPERIMENTAL_DAGGER_RUNNER_HOST
  if (!host) return { host: 'a container engine', kind: 'downloaded' }
  return { host, kind: /^(docker-)?image\b/.test(host) ? 'downloaded' : 'running' }
}

/**
 * The path of Dagger's CLI: the CLI that the environment names, or the CLI that the SDK downloaded
 * (provisioning/bin.js).
 */
export function findCli(env: NodeJS.ProcessEnv): string | undefined {
  const cache = env.XDG_CACHE_HOME || join(env.HOME || '/root', '.cache')
  const cli = env._EXPERIMENTAL_DAGGER_CLI_BIN || join(cache, 'dagger', `dagger-${DAGGER_VERSION}`)
  return existsSync(cli) ? cli : undefined
}

/**
 * Sets the path of the CLI for the SDK, which would otherwise download the CLI each time. An open session
 * (DAGGER_SESSION_PORT) needs no CLI.
 */
export function nameCli(env: NodeJS.ProcessEnv): void {
  if (env.DAGGER_SESSION_PORT) return
  const cli = findCli(env)
  const named = env._EXPERIMENTAL_DAGGER_CLI_BIN
  if (named && cli === undefined) {
    throw new UserError('engine', `Dagger's CLI does not exist at '${named}'`, {
      hint: 'correct _EXPERIMENTAL_DAGGER_CLI_BIN, or unset it to download the CLI',
    })
  }
  if (cli !== undefined) env._EXPERIMENTAL_DAGGER_CLI_BIN = cli
}
