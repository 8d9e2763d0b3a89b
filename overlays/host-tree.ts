import { UserError } from '../errors.ts'
import type { IssuedCertificates } from '../images/certificates/need.ts'
import { accountId } from '../images/ids.ts'
import { type FileTree, file, mergeTrees, symlink } from '../images/tree.ts'
import { unixTextProblem } from '../images/unix-text.ts'
import { containerFiles } from './base/containers.ts'
import { firewallFiles } from './base/firewall.ts'
import { identityFiles } from './base/identity.ts'
import { metricsFiles } from './base/metrics.ts'
import { networkFiles } from './base/network.ts'
import { distinctKeys } from './base/public-keys.ts'
import { authorizedKeys, sshFiles } from './base/ssh.ts'
import { timeFiles } from './base/time.ts'
import { unitFiles } from './base/units.ts'
import { updateFiles } from './base/update.ts'
import { isJob } from './container.ts'
import { scriptsIn } from './device/manifest.ts'
import { awaitedDevice } from './device-unit.ts'
import type { Host } from './host-facts.ts'
import type { ContainerOnHost, HostServices, VolumeOnHost } from './host-services.ts'
import { configurationPath, fileText, quadlet, timer } from './quadlet.ts'
import { type Ciphertexts, isDecrypted, secretFiles } from './secret-files.ts'

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
  /** The ciphertexts of the secrets that the services use: name -> text of the age file. */
  readonly secrets: Ciphertexts
  /** The time of the lock, in seconds since 1970. */
  readonly time: number
  /** The certificates that `certificatesOf` lists. */
  readonly certificates: IssuedCertificates
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
  rendered: HostServices,
  { deviceFiles, sshKeys, signingKeys, secrets, time, certificates }: HostAssets,
): FileTree {
  const { services, lab } = rendered
  const containers = services.flatMap((each) => each.containers)
  const tree = mergeTrees({
    identity: identityFiles(host, lab),
    network: networkFiles(host),
    time: timeFiles(lab.facts),
    firewall: firewallFiles(
      host,
      rendered,
      lab.facts.networks.flatMap(({ subnets }) => subnets),
    ),
    metrics: metricsFiles(),
    ssh: sshFiles(authorizedKeys(host, sshKeys)),
    update: updateFiles({
      name: host.name,
      board: host.board,
      time,
      number: host.number,
      signingKeys: signersOf(host, signingKeys),
    }),
    containers: containerFiles([...new Set(containers.map(({ imageName }) => imageName))]),
    secrets: secretFiles(containers, secrets),
    units: unitFiles({
      data: services.flatMap(({ volumes }) => volumes.map(dataArgument)),
      shell: host.console.shell,
    }),
    scripts: Object.fromEntries(
      [...scriptsIn('host', deviceFiles)].map(([{ path, mode }, text]) => [path, file(text, mode)]),
    ),
    ...Object.fromEntries(containers.map((each) => [`container ${each.name}`, containerTree(each, certificates)])),
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

/** An argument of `overlays/device/system/data.sh`: NAME:UID:GID:BYTES. */
function dataArgument({ name, owner, quota }: VolumeOnHost): string {
  const id = accountId(owner)
  return `${name}:${id}:${id}:${quota}`
}

function containerTree(container: ContainerOnHost, certificates: IssuedCertificates): FileTree {
  const { name, files } = container
  const configuration = Object.entries(files).flatMap(([path, each]) =>
    isDecrypted(each) ? [] : [[configurationPath(name, path), file(fileText(each, certificates))] as const],
  )
  return {
    [`/usr/share/containers/systemd/${name}.container`]: file(quadlet(container)),
    ...timerFiles(container),
    ...(awaitedDevice(container.uses) === undefined ? {} : keepLoaded(name)),
    ...Object.fromEntries(configuration),
  }
}

function timerFiles(container: ContainerOnHost): FileTree {
  const { name, health } = container
  if (!isJob(health)) return {}
  const path = `/etc/systemd/system/${name}.timer`
  return {
    [path]: file(timer(container, health)),
    [`/etc/systemd/system/timers.target.wants/${name}.timer`]: symlink(path),
  }
}

/**
 * systemd unloads a unit that nothing refers to, and the node exporter reports only loaded units. An order without a
 * requirement keeps the unit loaded, so that metrics show that it is inactive.
 */
function keepLoaded(name: string): FileTree {
  return {
    [`/etc/systemd/system/multi-user.target.d/${name}.conf`]: file(`[Unit]\nAfter=${name}.service\n`),
  }
}
