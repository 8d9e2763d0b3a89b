import { accountId } from '../images/ids.ts'
import { type FileTree, file, mergeTrees } from '../images/tree.ts'
import { containerFiles } from './base/containers.ts'
import { firewallFiles } from './base/firewall.ts'
import { identityFiles } from './base/identity.ts'
import { networkFiles } from './base/network.ts'
import { distinctKeys } from './base/public-keys.ts'
import { authorizedKeys, sshFiles } from './base/ssh.ts'
import { unitFiles } from './base/units.ts'
import { updateFiles } from './base/update.ts'
import { scriptsIn } from './device/manifest.ts'
import type { Host } from './host-facts.ts'
import { configurationPath, quadlet } from './quadlet.ts'
import { renderedServices, type ServiceOnHost } from './rendered.ts'

export interface HostAssets {
  /** Path below `overlays/device` -> script, or source of a program that is compiled for the host. */
  readonly deviceFiles: Readonly<Record<string, string>>
  /** Public keys that may log in, beside those that the host file names. */
  readonly sshKeys: readonly string[]
  /** Public keys whose signature the host accepts on updates. */
  readonly signingKeys: readonly string[]
  /** The lock's time in seconds since 1970. */
  readonly time: number
}

/** Who may sign this host's next images: the keys that the host file names, and the one that signs this one. */
export function signersOf(host: Host, builders: readonly string[]): string[] {
  // The file's first, and each once: where it names all of them the image is the same whoever builds it.
  return distinctKeys([...host.updates.signingKeys, ...builders])
}

/** Every file of the `host` layer: what makes this host's image differ from another's. */
export function hostTree(host: Host, { deviceFiles, sshKeys, signingKeys, time }: HostAssets): FileTree {
  const services = renderedServices(host)
  return mergeTrees({
    identity: identityFiles(host),
    network: networkFiles(host),
    firewall: firewallFiles(services.flatMap(({ ports }) => ports)),
    ssh: sshFiles(authorizedKeys(host, sshKeys)),
    update: updateFiles({
      name: host.name,
      board: host.board,
      time,
      number: host.number,
      signingKeys: signersOf(host, signingKeys),
    }),
    containers: containerFiles(services.map(({ kind }) => kind.name)),
    units: unitFiles({ data: services.flatMap(dataArgument), shell: host.console.shell }),
    scripts: Object.fromEntries(
      [...scriptsIn('host', deviceFiles)].map(([{ path, mode }, text]) => [path, file(text, mode)]),
    ),
    ...Object.fromEntries(services.map((each) => [`service ${each.kind.name}`, serviceFiles(each)])),
  })
}

/** As `overlays/device/system/data.sh` takes it: NAME:UID:GID. */
function dataArgument({ kind, rendered }: ServiceOnHost): string[] {
  const id = accountId(rendered.user)
  return rendered.data === undefined ? [] : [`${kind.name}:${id}:${id}`]
}

function serviceFiles({ settings, kind, rendered }: ServiceOnHost): FileTree {
  const configuration = Object.entries(rendered.configuration).map(
    ([path, text]) => [configurationPath(kind.name, path), file(text)] as const,
  )
  return {
    [`/usr/share/containers/systemd/${kind.name}.container`]: file(quadlet(settings, kind.about, rendered)),
    ...Object.fromEntries(configuration),
  }
}
