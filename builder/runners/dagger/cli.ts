import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../../errors.ts'
import { DAGGER_VERSION } from './version.ts'

/** Dagger's CLI, where the owner says it is or where the SDK has put it when it fetched it (provisioning/bin.js). */
export function findCli(env: NodeJS.ProcessEnv): string | undefined {
  const cache = env.XDG_CACHE_HOME || join(env.HOME || '/root', '.cache')
  const cli = env._EXPERIMENTAL_DAGGER_CLI_BIN || join(cache, 'dagger', `dagger-${DAGGER_VERSION}`)
  return existsSync(cli) ? cli : undefined
}

/** The SDK fetches its CLI each time that it is not named one, even where it has it. A session that is open needs none. */
export function nameCli(env: NodeJS.ProcessEnv): void {
  if (env.DAGGER_SESSION_PORT) return
  const cli = findCli(env)
  const named = env._EXPERIMENTAL_DAGGER_CLI_BIN
  if (named && cli === undefined) {
    throw new UserError('engine', `Dagger's CLI is not at '${named}'`, {
      hint: 'correct _EXPERIMENTAL_DAGGER_CLI_BIN, or unset it: then the CLI is fetched',
    })
  }
  if (cli !== undefined) env._EXPERIMENTAL_DAGGER_CLI_BIN = cli
}
