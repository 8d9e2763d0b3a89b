import { nameCli } from './cli.ts'

/** Makes the environment that the SDK and its CLI read, which is the process's own, what a build wants. */
export function prepareEnvironment(env: NodeJS.ProcessEnv): void {
  nameCli(env)
  // A build tells nobody of itself, advertises nothing, and writes its log for whoever reads it.
  env.DO_NOT_TRACK ??= '1'
  env.DAGGER_NO_NAG ??= '1'
  env.NO_COLOR ??= '1'
  // The one form that says of each line which command said it.
  env.DAGGER_PROGRESS = 'plain'
}

/** The engine that is named, and whether it has to be fetched before it can answer. */
export function namedHost(env: NodeJS.ProcessEnv): { readonly host: string; readonly kind: 'running' | 'fetched' } {
  if (env.DAGGER_SESSION_PORT) return { host: `127.0.0.1:${env.DAGGER_SESSION_PORT}`, kind: 'running' }
  const host = env._EXPERIMENTAL_DAGGER_RUNNER_HOST
  if (!host) return { host: 'a container engine', kind: 'fetched' }
  return { host, kind: /^(docker-)?image\b/.test(host) ? 'fetched' : 'running' }
}
