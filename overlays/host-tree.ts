import { UserError } from '../errors.ts'
import { accountId } from '../images/ids.ts'
import { type FileTree, file, mergeTrees } from '../images/tree.ts'
import { unixTextProblem } from '../images/unix-text.ts'
import { containerFiles } from './base/containers.ts'
import { firewallFiles } from './base/firewall.ts'
import { identityFiles } from './base/identity.ts'
import { networkFiles } from './base/network.ts'
import { distinctKeys } from './base/public-keys.ts'
import { authorizedKeys, sshFiles } from './base/ssh.ts'
import { timeFiles } from './base/time.ts'
import { unitFiles } from './base/units.ts'
import { updateFiles } from './base/update.ts'
import { scriptsIn } from './device/manifest.ts'
import type { Host } from './host-facts.ts'
import type { ContainerOnHost, HostServices, VolumeOnHost } from './host-services.ts'
import { configurationPath, fileText, quadlet } from './quadlet.ts'

export interface HostAssets {
  /**
   * The files below `overlays/device`: path -> text of a script, or of a program source that hangar compiles for the
   * host.
   */
  readonly deviceFiles: Readonly<Record<string, string>>
  /** Public keys that may log in, in addition to those of the host file. */
  readonly sshKeys: readonly string[]
  /** Public keys that may sign updates of the host, in addition to those of the host file. */
  readonly signingKeys: readonly string[]
  /** The time of the lock, in seconds since 1970. */
  readonly time: number
}

/** Public keys that may sign the host's next images: those of the host file, and the key that signs this image. */
export function signersOf(host: Host, builders: readonly string[]): string[] {
  // Puts the keys of the host file first: if the host file lists the key of every builder, all builders make the same
  // image.
  return distinctKeys([...host.updates.signingKeys, ...builders])
}

/** Every file of the `host` layer, which holds everything that differs between two hosts. */
export function hostTree(
  host: Host,
  { services, lab }: HostServices,
  { deviceFiles, sshKeys, signingKeys, time }: HostAssets,
): FileTree {
  const containers = services.flatMap((each) => each.containers)
  const tree = mergeTrees({
    identity: identityFiles(host, lab),
    network: networkFiles(host),
    time: timeFiles(lab.facts),
    firewall: firewallFiles(services.flatMap(({ ports }) => ports)),
    ssh: sshFiles(authorizedKeys(host, sshKeys)),
    update: updateFiles({
      name: host.name,
      board: host.board,
      time,
      number: host.number,
      signingKeys: signersOf(host, signingKeys),
    }),
    containers: containerFiles([...new Set(containers.map(({ imageName }) => imageName))]),
    units: unitFiles({
      data: services.flatMap(({ volumes }) => volumes.map(dataArgument)),
      shell: host.console.shell,
    }),
    scripts: Object.fromEntries(
      [...scriptsIn('host', deviceFiles)].map(([{ path, mode }, text]) => [path, file(text, mode)]),
    ),
    ...Object.fromEntries(containers.map((each) => [`container ${each.name}`, containerTree(each)])),
  })
  checkTexts(host.name, tree)
  return tree
}

/** Throws for a text that programs on the host would misread: the image would build, and fail on the host. */
function checkTexts(host: string, tree: FileTree): void {
  for (const [path, entry] of Object.entries(tree)) {
    if (entry.kind !== 'file' || typeof entry.content !== 'string') continue
    const problem = unixTextProblem(entry.content)
    if (problem === undefined) continue
    throw new UserError('host', `cannot write '${path}' for '${host}': ${problem}`, {
      hint: `remove the carriage return from the values in hosts/${host}.ts, or correct the script that the file is made of`,
    })
  }
}

/** An argument of `overlays/device/system/data.sh`: NAME:UID:GID. */
function dataArgument({ name, owner }: VolumeOnHost): string {
  const id = accountId(owner)
  return `${name}:${id}:${id}`
}

function containerTree(container: ContainerOnHost): FileTree {
  const { name, files } = container
  const configuration = Object.entries(files).map(
    ([path, each]) => [configurationPath(name, path), file(fileText(each))] as const,
  )
  return {
    [`/usr/share/containers/systemd/${name}.container`]: file(quadlet(container)),
    ...Object.fromEntries(configuration),
  }
}
