import type { RegistryMirrors } from '../overlays/lab-facts.ts'
import type { CommandContext } from './command.ts'

/** The context with the mirrors of the lab file, unless the environment names mirrors: those of this machine are nearer. */
export async function withLabMirrors<Context extends CommandContext>(context: Context): Promise<Context> {
  const { env, hosts } = context
  if (env.HANGAR_DEBIAN_MIRROR !== undefined) return context
  const setting = debianMirrors((await hosts.lab()).registryMirrors)
  return setting === '' ? context : { ...context, env: { ...env, HANGAR_DEBIAN_MIRROR: setting } }
}

/** The form of HANGAR_DEBIAN_MIRROR: `ARCHIVE=URL`, separated by spaces. */
function debianMirrors(mirrors: RegistryMirrors): string {
  return (['debian', 'debian-security'] as const)
    .flatMap((archive) => mirrors[archive].map((url) => `${archive}=${url}`))
    .join(' ')
}
