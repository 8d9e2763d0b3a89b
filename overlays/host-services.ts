import type { SecretValue } from '../images/secrets/needed-secret.ts'
import { BASE_OFFER } from './base/offer.ts'
import {
  type CertificateOwner,
  type Certificates,
  certificateFileOnHost,
  certificateKeys,
} from './certificate-files.ts'
import {
  type Container,
  type ContainerFile,
  type ContainerImage,
  container,
  type Secret,
  type ServiceUse,
} from './container.ts'
import type { Host, HostService, Limits } from './host-facts.ts'
import { DEFAULT_FACTS, type Lab, type LabHost } from './lab-facts.ts'
import type { Offer } from './offer.ts'
import {
  type CertificateDefinition,
  containerNames,
  qualifiedName,
  type Service,
  type ServiceContext,
  type Volume,
} from './service.ts'
import { findService } from './services/registry.ts'

/** The services of one host, rendered. A build renders them once and passes this value to everything that needs them. */
export interface HostServices {
  /** The services, sorted by name. */
  readonly services: readonly ServiceOnHost[]
  /** The offer of the host itself, and then the offers of the services. */
  readonly offers: readonly Offer[]
  /** The lab that the services were rendered for. */
  readonly lab: Lab
}

export interface ServiceOnHost extends Offer {
  readonly about: string
  readonly containers: readonly ContainerOnHost[]
  readonly volumes: readonly VolumeOnHost[]
  /** The secrets by their names in the lab, with the private keys of the certificates. */
  readonly secrets: Readonly<Record<string, { readonly about: string; readonly value: SecretValue }>>
  /** The certificates by subject. */
  readonly certificates: Readonly<Record<string, CertificateDefinition>>
}

export interface ContainerOnHost extends Container {
  /** The name of the unit and of the container, which is unique on the host. */
  readonly name: string
  readonly about: string
  /** The name of the container's image. Containers of one service with the same image and user share the image. */
  readonly imageName: string
  readonly limits: Limits
  /** The volumes that another user owns: name of the volume -> its owner. */
  readonly borrowed: Readonly<Record<string, string>>
}

export interface VolumeOnHost extends Omit<Volume, 'quota'> {
  /** The name of the volume's subvolume, which is unique on the host. */
  readonly name: string
  /** The most bytes that the data may take in one slot. */
  readonly quota: number
}

/** Renders the services of a host in its lab. `find` looks a service up by its name. */
export function renderServices(host: Host, lab: Lab = labOf(host), find: FindService = findService): HostServices {
  const { offers } = labHost(host, find)
  const services = host.services.map((settings) =>
    serviceOnHost(serviceNamed(settings.name, find), settings, { host, offers, lab }),
  )
  return { services, offers, lab }
}

/** A host as the other hosts of the lab see it. */
export function labHost({ name, network, services }: Host, find: FindService = findService): LabHost {
  const offers = services.map((settings) => offerOf(serviceNamed(settings.name, find), settings))
  return { name, addresses: network.addresses.map(({ address }) => address), offers: [BASE_OFFER, ...offers] }
}

/** The ports that the services of a host connect to. */
export function usesOf({ services }: HostServices): ServiceUse[] {
  const uses = services.flatMap(({ containers }) => containers.flatMap((each) => each.uses))
  return uses.flatMap((use) => ('service' in use ? [use] : []))
}

/** The lab of a host that is alone. */
export function labOf(host: Host, find: FindService = findService): Lab {
  return { facts: { ...DEFAULT_FACTS, domain: host.network.domain }, hosts: [labHost(host, find)] }
}

export type FindService = (name: string) => Service | undefined

function serviceNamed(name: string, find: FindService): Service {
  const found = find(name)
  if (found === undefined) throw new Error(`host with an unknown service '${name}': its schema should have refused it`)
  return found
}

function offerOf({ name, ports, metrics, alerts, dashboards, mqtt }: Service, { options }: HostService): Offer {
  const clients = Object.entries(mqtt(options)).map(([subject, topics]) => ({ subject, ...topics }))
  return {
    name,
    ports: ports(options),
    metrics: metrics(options),
    alerts: alerts(options),
    dashboards,
    mqtt: clients,
  }
}

function serviceOnHost(service: Service, settings: HostService, context: ServiceContext): ServiceOnHost {
  const { name, about } = service
  const given = Object.entries(service.containers(settings.options, context))
  const names = containerNames(service)
  const returned = given.map(([part]) => part)
  if (returned.join() !== names.filter((each) => returned.includes(each)).join())
    throw new Error(`service '${name}' must return containers of ${names.join(', ')}, in this order`)
  const containers = given.map(([part, definition]) => [part, container(definition)] as const)
  const imageNames = imageNamesOf(name, containers)
  const certificates = service.certificates(settings.options, context)
  const owner = { host: context.host.name, service: name }
  return {
    ...offerOf(service, settings),
    about,
    secrets: {
      ...Object.fromEntries(
        Object.entries(service.secrets(settings.options)).map(([part, each]) => [qualifiedName(name, part), each]),
      ),
      ...certificateKeys(owner, certificates),
    },
    certificates,
    containers: containers.map(([part, each]) => ({
      ...withLabNames(each, owner, certificates),
      name: qualifiedName(name, part),
      about,
      imageName: imageNames.get(imageKey(each)) ?? '',
      limits: limitsOf(settings, part),
      volumes: Object.fromEntries(
        Object.entries(each.volumes).map(([path, volume]) => [path, volumeName(service, volume)]),
      ),
      borrowed: borrowedVolumes(service, each),
    })),
    volumes: Object.entries(service.volumes).map(([part, volume]) => ({
      ...volume,
      name: qualifiedName(name, part),
      quota: quotaOf(settings, part),
    })),
  }
}

/** The container with the names that its secrets have in the lab. */
function withLabNames(given: Container, owner: CertificateOwner, certificates: Certificates): Container {
  const { service } = owner
  const inLab = (secret: Secret): Secret => ({ ...secret, name: qualifiedName(service, secret.name) })
  const part = (each: string | Secret) => (typeof each === 'string' ? each : inLab(each))
  const inFile = (each: ContainerFile): ContainerFile => {
    if (each.kind === 'secret') return inLab(each)
    if (each.kind === 'template') return { ...each, parts: each.parts.map(part) }
    return certificateFileOnHost(owner, certificates, each)
  }
  return { ...given, environment: mapped(given.environment, part), files: mapped(given.files, inFile) }
}

function mapped<From, To>(record: Readonly<Record<string, From>>, change: (from: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}

/**
 * The names of the images: image and user -> name. The only image of a service has the service's name; otherwise an
 * image has the name of a container.
 */
function imageNamesOf(service: string, containers: readonly (readonly [string, Container])[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const [part, each] of containers)
    if (!names.has(imageKey(each))) names.set(imageKey(each), qualifiedName(service, part))
  return names.size === 1 ? new Map([...names.keys()].map((key) => [key, service])) : names
}

// The key of an image. It contains the user, because the passwd file of an image lists only one user.
function imageKey({ image, user }: { readonly image: ContainerImage; readonly user: string }): string {
  return JSON.stringify([image, user])
}

function limitsOf({ name, limits }: HostService, part: string): Limits {
  const found = limits[part]
  if (found === undefined) throw new Error(`host without limits for container '${part}' of service '${name}'`)
  return found
}

function quotaOf({ name, disk }: HostService, volume: string): number {
  const found = disk[volume]
  if (found === undefined) throw new Error(`host without a quota for volume '${volume}' of service '${name}'`)
  return found
}

function borrowedVolumes(service: Service, { user, volumes }: Container): Record<string, string> {
  const owners = Object.values(volumes).map((volume) => [
    volumeName(service, volume),
    service.volumes[volume]?.owner ?? '',
  ])
  return Object.fromEntries(owners.filter(([, owner]) => owner !== user))
}

function volumeName({ name, volumes }: Service, volume: string): string {
  if (!Object.hasOwn(volumes, volume)) throw new Error(`service '${name}' mounts the unknown volume '${volume}'`)
  return qualifiedName(name, volume)
}
