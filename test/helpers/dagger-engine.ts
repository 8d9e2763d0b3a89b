import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { surveyMachine } from '../../builder/runners/survey.ts'
import { openStore } from '../../builder/store/directory.ts'

/** Where there is no real engine, there is nothing to pass. */
export async function requireEngine(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'hangar-survey-'))
  try {
    const { named, containers } = await surveyMachine(process.env, await openStore(directory))
    if (named !== undefined || containers !== undefined) return
  } finally {
    rmSync(directory, { recursive: true })
  }
  throw new Error(
    'no Dagger engine to test on: name one in _EXPERIMENTAL_DAGGER_RUNNER_HOST, or start docker, podman, nerdctl or finch',
  )
}

/** What tells the SDK and its CLI where an engine is, for a program with another home directory. */
export function engineEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const ofEngine = /^(_EXPERIMENTAL_DAGGER_|DAGGER_|DOCKER_|CONTAINER_HOST$|DO_NOT_TRACK$|XDG_CACHE_HOME$)/
  const given = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && ofEngine.test(name) ? [[name, value] as const] : [],
  )
  // Where the SDK has put a CLI that it fetched.
  return { XDG_CACHE_HOME: join(env.HOME ?? '/root', '.cache'), ...Object.fromEntries(given) }
}
