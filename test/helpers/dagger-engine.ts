import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { surveyMachine } from '../../builder/runners/survey.ts'
import { openStore } from '../../builder/store/directory.ts'

/** Throws without a real engine, so that a run of these tests never passes without testing anything. */
export async function requireEngine(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'hangar-survey-'))
  try {
    const { named, containers } = await surveyMachine(process.env, await openStore(directory))
    if (named !== undefined || containers !== undefined) return
  } finally {
    rmSync(directory, { recursive: true })
  }
  throw new Error(
    'these tests need a Dagger engine: set _EXPERIMENTAL_DAGGER_RUNNER_HOST, or start docker, podman, nerdctl or finch',
  )
}

/** Environment variables that name the engine and the CLI, for a program with another home directory. */
export function engineEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const ofEngine = /^(_EXPERIMENTAL_DAGGER_|DAGGER_|DOCKER_|CONTAINER_HOST$|DO_NOT_TRACK$|XDG_CACHE_HOME$)/
  const given = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && ofEngine.test(name) ? [[name, value] as const] : [],
  )
  // The cache directory holds the CLI that the SDK downloaded.
  return { XDG_CACHE_HOME: join(env.HOME ?? '/root', '.cache'), ...Object.fromEntries(given) }
}
