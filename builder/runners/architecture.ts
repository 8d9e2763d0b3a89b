import { UserError } from '../../errors.ts'
import type { Architecture } from '../../images/architecture.ts'
import type { RunnerWish } from './choice.ts'
import { namedEngine } from './survey.ts'

/**
 * Whose programs derivations run: this machine's, or those of the engine whose architecture `HANGAR_BUILDER` says. It is
 * said and not asked: it is part of a derivation's name, by which the store tells whether an engine is needed at all.
 */
export function builderArchitecture(machine: Architecture, env: NodeJS.ProcessEnv, wish: RunnerWish): Architecture {
  const said = env.HANGAR_BUILDER || machine
  if (said === machine) return machine
  if (said !== 'amd64' && said !== 'arm64') {
    throw new UserError('usage', `HANGAR_BUILDER is '${said}', wanted the engine's architecture: amd64 or arm64`, {
      hint: `unset it: derivations run programs of this machine, ${machine}`,
    })
  }
  if (wish === 'dagger' || (wish === 'auto' && namedEngine(env) !== undefined)) return said
  throw new UserError('usage', `HANGAR_BUILDER is '${said}', and sandboxes on this machine run ${machine}`, {
    hint: `name an engine on a machine that is ${said}: _EXPERIMENTAL_DAGGER_RUNNER_HOST=…; or unset HANGAR_BUILDER`,
  })
}
