import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { UserError } from '../../errors.ts'
import { run } from '../../lib/subprocess.ts'
import type { Store } from '../store/store.ts'
import type { Machine } from './choice.ts'
import { findCli } from './dagger/environment.ts'
import { DAGGER_VERSION } from './dagger/version.ts'
import { checkSandbox } from './sandbox.ts'

/** The container engines that Dagger's CLI tries, in its order (engine/client/drivers). */
const CONTAINER_PROGRAMS = ['docker', 'podman', 'nerdctl', 'finch']
const ENGINE_IMAGE = `registry.dagger.io/engine:v${DAGGER_VERSION}`

/** The time for a container engine to answer, in milliseconds. */
const TIMEOUT = 5000

/** Finds out how this machine can run derivations, without network access. */
export async function surveyMachine(env: NodeJS.ProcessEnv, store: Store): Promise<Machine> {
  const named = namedEngine(env)
  if (named !== undefined) return { named, containers: undefined, sandboxProblem: undefined }
  const [containers, sandboxProblem] = await Promise.all([containerEngine(env), sandboxProblemOf(store)])
  return { named, containers, sandboxProblem }
}

/** The Dagger engine that the environment names for the SDK and its CLI. */
export function namedEngine(env: NodeJS.ProcessEnv): Machine['named'] {
  for (const variable of ['DAGGER_SESSION_PORT', '_EXPERIMENTAL_DAGGER_RUNNER_HOST']) {
    const value = env[variable]
    if (value) return { variable, value }
  }
  return undefined
}

async function containerEngine(env: NodeJS.ProcessEnv): Promise<Machine['containers']> {
  for (const program of CONTAINER_PROGRAMS.filter((each) => isOnPath(each, env))) {
    if (!(await succeeds(program, ['info'], env))) continue
    const isPresent = findCli(env) !== undefined && (await succeeds(program, ['image', 'inspect', ENGINE_IMAGE], env))
    return { program, dagger: isPresent ? 'present' : 'missing' }
  }
  return undefined
}

function isOnPath(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)))
}

async function succeeds(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  const given = Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  )
  return run(program, args, { env: given, signal: AbortSignal.timeout(TIMEOUT) }).then(
    ({ exitCode }) => exitCode === 0,
    () => false,
  )
}

async function sandboxProblemOf(store: Store): Promise<string | undefined> {
  try {
    await store.scratch('probe', (directory) => checkSandbox(directory))
    return undefined
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
}
