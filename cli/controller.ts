import { join } from 'node:path'
import type { KnownHost } from '../flash/controller.ts'
import type { CommandContext } from './command.ts'

/** This machine as a controller: it connects to hosts over SSH, and knows the generations in this store. */
export async function openController(context: CommandContext) {
  const { env, project, signal, reporter: progress } = context
  const { unpackPrograms } = await import('./programs.ts')
  const { keyDirectory } = await import('../lib/user-directories.ts')
  const { storeRoot } = await import('../builder/store/directory.ts')
  const { generationsOf } = await import('../builder/generations/record.ts')
  const { controllerOf } = await import('../flash/controller.ts')
  const { CONTROL } = await import('../images/sets.ts')
  const programs = await unpackPrograms(context, CONTROL)
  const generations = (host: string) =>
    new Map(generationsOf(storeRoot(env), host).map((each) => [each.root as string, each]))
  const keyFile = join(keyDirectory(env), 'ssh_key')
  return { ...controllerOf({ programs, project, progress, signal, keyFile }), generations }
}

/**
 * The facts that the controller needs about a host: address, SSH host keys and driver. `at` replaces the address in the
 * host file.
 */
export async function knownHost(
  { project, hosts }: CommandContext,
  name: string,
  at: string | undefined,
): Promise<KnownHost> {
  const { readPublicIdentity } = await import('../builder/keys/host-identity.ts')
  const { parseAddress } = await import('../flash/ssh/address.ts')
  const { driverOf } = await import('../flash/targets/registry.ts')
  const { network, board } = await hosts.load(name)
  const [{ address }] = network.addresses
  const hostKeys = readPublicIdentity(project, name)?.ssh ?? []
  const { jump } = network
  return { host: name, at: parseAddress(at ?? address), hostKeys, jump, driver: driverOf(board) }
}
