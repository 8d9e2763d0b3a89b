import { UserError } from '../../errors.ts'

const RUNNERS = ['dagger', 'local', 'auto'] as const
/** The runner that the user asks for; `auto` is the default. */
export type RunnerSetting = (typeof RUNNERS)[number]

/** The ways in which a machine can run derivations. */
export interface Machine {
  /** The environment variable that names a Dagger engine. */
  readonly named: { readonly variable: string; readonly value: string } | undefined
  /** A running container engine, and whether Dagger's engine and CLI are already on this machine. */
  readonly containers: { readonly program: string; readonly dagger: 'present' | 'missing' } | undefined
  /** The reason why a sandbox fails on this machine; undefined if sandboxes work. */
  readonly sandboxProblem: string | undefined
}

export interface Choice {
  readonly runner: 'dagger' | 'local'
  readonly because: string
  /** The runner to use if hangar cannot reach the engine. */
  readonly fallback: 'local' | 'none'
}

/**
 * The choice of `auto`: first an engine that the environment names, then an engine that this machine already has, then
 * sandboxes. Only if sandboxes do not work, it downloads an engine, which runs privileged.
 */
export function chooseRunner({ named, containers, sandboxProblem }: Machine): Choice {
  const fallback = sandboxProblem === undefined ? 'local' : 'none'
  if (named !== undefined) {
    return { runner: 'dagger', because: `${named.variable} is set to '${named.value}'`, fallback: 'none' }
  }
  if (containers?.dagger === 'present') {
    return { runner: 'dagger', because: `${containers.program} has the Dagger engine`, fallback }
  }
  if (sandboxProblem !== undefined && containers !== undefined) {
    const because = `sandboxes do not work on this machine (${sandboxProblem}), but ${containers.program} does`
    return { runner: 'dagger', because, fallback: 'none' }
  }
  const because =
    containers === undefined
      ? 'this machine has no Dagger engine'
      : `${containers.program} has no Dagger engine; --runner dagger downloads it`
  return { runner: 'local', because, fallback: 'none' }
}

/** Parses `--runner` or HANGAR_RUNNER. */
export function parseRunner(text: string, source: string): RunnerSetting {
  const found = RUNNERS.find((each) => each === text)
  if (found !== undefined) return found
  throw new UserError('usage', `${source} is '${text}', wanted one of: ${RUNNERS.join(', ')}`, {
    hint: `${source}=auto uses a Dagger engine when there is one`,
  })
}
