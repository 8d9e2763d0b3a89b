import { UserError } from '../../errors.ts'
import type { Architecture } from '../../images/architecture.ts'
import type { RunnerSetting } from './choice.ts'
import { namedEngine } from './survey.ts'

/**
 * The architecture of the programs that derivations run: the architecture of this machine, or the one that
 * `HANGAR_BUILDER` names for a remote engine. It is a setting, because each derivation's digest contains it, and hangar
 * needs the digests before it connects to an engine.
 */
export function builderArchitecture(
  machine: Architecture,
  env: NodeJS.ProcessEnv,
  setting: RunnerSetting,
): Architecture {
  const builder = env.HANGAR_BUILDER || machine
  if (builder === machine) return machine
  if (builder !== 'amd64' && builder !== 'arm64') {
    throw new UserError(
      'usage',
      `HANGAR_BUILDER is '${builder}', wanted the architecture of the engine: amd64 or arm64`,
      {
        hint: `unset HANGAR_BUILDER to build with programs for this machine (${machine})`,
      },
    )
  }
  if (setting === 'dagger' || (setting === 'auto' && namedEngine(env) !== undefined)) return builder
  throw new UserError('usage', `HANGAR_BUILDER is '${builder}', but sandboxes on this machine run ${machine}`, {
    hint: `set _EXPERIMENTAL_DAGGER_RUNNER_HOST to an engine on ${builder}, or unset HANGAR_BUILDER`,
  })
}
