import type { IpAddress } from '../images/ip-address.ts'
import type { FileTree } from '../images/tree.ts'

/** Debian packages, configured: hangar runs their maintainer scripts on the builder and carries the changes over. */
export interface DebianImage {
  readonly source: 'debian'
  /**
   * The names of Debian packages. hangar adds their dependencies, except those that it assumes: `CONTAINER_ASSUMED` in
   * `hosts/platforms/pi/image-of.ts`. A program that needs an assumed package names it here, and gets it.
   */
  readonly packages: readonly string[]
  /** Further dependencies to leave out, because the programs of this image do not need them. */
  readonly assumed?: readonly string[]
  /**
   * Packages whose maintainer scripts do not run, because hangar refuses them and the programs of this image work without
   * them: package -> reason.
   */
  readonly withoutScripts?: Readonly<Record<string, string>>
  /** Files and directories to add to the packages. */
  readonly tree: FileTree
}

/** npm packages below `/app/node_modules`, beside configured Debian packages with Node.js. hangar runs no install script. */
export interface NpmImage {
  readonly source: 'npm'
  /** The path of a folder with `package.json` and `package-lock.json`: `overlays/services/node-red`. */
  readonly folder: string
  /** The names of further Debian packages. hangar adds `nodejs` and the dependencies. */
  readonly packages?: readonly string[]
  readonly assumed?: DebianImage['assumed']
  readonly withoutScripts?: DebianImage['withoutScripts']
  /** Files and directories to add to the packages. */
  readonly tree?: FileTree
}

/** The source of a container's root file system. hangar can build `debian` and `npm`; the checks of a host refuse the others. */
export type ContainerImage =
  | DebianImage
  | NpmImage
  /** A folder with `requirements.txt`, with hashes. */
  | { readonly source: 'pypi'; readonly folder: string }
  /** An image of a registry: `ghcr.io/koenkk/zigbee2mqtt:2.14.1`. */
  | { readonly source: 'oci'; readonly reference: string }

/** The value of a secret that the service declares. */
export interface Secret {
  readonly kind: 'secret'
  readonly name: string
}

/** A read-only file of a container. */
export type ContainerFile =
  | { readonly kind: 'text'; readonly text: string }
  | Secret
  /** A text that contains secrets. The host joins the parts when it starts. */
  | { readonly kind: 'template'; readonly parts: readonly (string | Secret)[] }
  /** A certificate that the service declares, from the lab's internal CA: PEM. */
  | { readonly kind: 'certificate'; readonly subject: string }
  /** The private key of a certificate: PEM of PKCS #8. */
  | { readonly kind: 'certificate-key'; readonly subject: string }
  /** The certificates of the lab's internal CA itself: two while a new one replaces an old one. */
  | { readonly kind: 'ca' }

export type EnvironmentValue = string | Secret

export type Protocol = 'tcp' | 'udp'

/** A device node of the host. */
export interface DeviceUse {
  /** The path on the host: `/dev/serial/by-id/…`. */
  readonly device: string
  /** The path in the container, if it differs from the path on the host. */
  readonly path?: string
  /** The number of the group that may open the device: 20 is Debian's dialout. */
  readonly group?: number
  /**
   * What the container does while the device is missing. `fail`: it does not start, and the host is unhealthy. `start`: it
   * starts without the device. `wait`: it starts when the device appears and stops when the device disappears, and the
   * host stays healthy.
   */
  readonly missing: 'fail' | 'start' | 'wait'
}

/** A port of a service of this host, or else of the lab. The service `host` is the host itself. */
export interface ServiceUse {
  readonly service: string
  readonly port: number
}

/**
 * Ports of a machine that is no host of the lab, such as a network adapter for Zigbee. The firewall knows no names, so the
 * machine has an address.
 */
export interface MachineUse {
  readonly machine: IpAddress
  readonly ports: readonly (readonly [Protocol, number])[]
}

/** A resource outside the container that its program needs. The firewall rejects every other connection. */
export type Use =
  | ServiceUse
  | MachineUse
  /** Ports of all addresses that are neither private nor in a network of the lab. */
  | { readonly internet: readonly (readonly [Protocol, number])[] }
  | DeviceUse

/** How podman asks a container whether it is healthy. The command runs in the container, without a shell. */
export interface HealthCheck {
  readonly command: readonly [string, ...string[]]
  /** The time between two checks, in seconds, after the first check has passed. */
  readonly interval: number
}

/** A program that a timer starts, and that ends by itself: its exit status shows whether it worked. */
export interface Job {
  /** The hours from the end of a run to the next run. The first run is soon after a boot. */
  readonly hours: number
  /** What follows a run that leaves a file behind. The host deletes the file when the command has ended well. */
  readonly follow?: {
    /** The path of the file in the container, directly in a volume. */
    readonly file: string
    /** The name of another container on the host, and a command to run in it. */
    readonly container: string
    readonly command: readonly string[]
  }
}

export function isJob(health: HealthCheck | Job): health is Job {
  return 'hours' in health
}

/** A right of root that a program keeps as another user. `NET_BIND_SERVICE`: it may listen on ports below 1024. */
export type Capability = 'NET_BIND_SERVICE'

/** One container of a service on one host. */
export interface Container {
  readonly image: ContainerImage
  /** The user that the program runs as, from the id table (`images/ids.ts`). No other service may run as this user. */
  readonly user: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, EnvironmentValue>>
  /** The read-only files: path in the container -> file. Text files are part of the `host` layer. */
  readonly files: Readonly<Record<string, ContainerFile>>
  /**
   * The mounted volumes: path in the container -> name of the service's volume. A container can only read a volume that
   * another user owns.
   */
  readonly volumes: Readonly<Record<string, string>>
  readonly uses: readonly Use[]
  readonly capabilities: readonly Capability[]
  readonly health: HealthCheck | Job
}

/** The definition of a container in a service. Empty lists and records may be left out. */
export type ContainerDefinition = Omit<Container, Defaulted> & Partial<Pick<Container, Defaulted>>

type Defaulted = 'environment' | 'files' | 'volumes' | 'uses' | 'capabilities'

export function container(given: ContainerDefinition): Container {
  return { environment: {}, files: {}, volumes: {}, uses: [], capabilities: [], ...given }
}
