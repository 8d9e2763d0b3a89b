import { BASE_OFFER } from './base/offer.ts'
import { type Container, type ContainerImage, container } from './container.ts'
import type { Host, HostService, Limits } from './host-facts.ts'
import { DEFAULT_FACTS, type Lab, type LabHost } from './lab-facts.ts'
import type { Offer } from './offer.ts'
import {
  type CertificateDefinition,
  containerNames,
  qualifiedName,
  type SecretDefinition,
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
  /** The secrets by their own names. */
  readonly secrets: Readonly<Record<string, SecretDefinition>>
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
}

export interface VolumeOnHost extends Volume {
  /** The name of the volume's subvolume, which is unique on the host. */
  readonly name: string
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

function offerOf({ name, ports, metrics, alerts, dashboards }: Service, { options }: HostService): Offer {
  return { name, ports: ports(options), metrics: metrics(options), alerts: alerts(options), dashboards }
}

function serviceOnHost(service: Service, settings: HostService, context: ServiceContext): ServiceOnHost {
  const { name, about } = service
  const given = Object.entries(service.containers(settings.options, context))
  const names = containerNames(service)
  if (given.map(([part]) => part).join() !== names.join())
    throw new Error(`service '${name}' must return the containers ${names.join(', ')}, in this order`)
  const containers = given.map(([part, definition]) => [part, container(definition)] as const)
  const imageNames = imageNamesOf(name, containers)
  return {
    ...offerOf(service, settings),
    about,
    secrets: service.secrets(settings.options),
    certificates: service.certificates(settings.options),
    containers: containers.map(([part, each]) => ({
      ...each,
      name: qualifiedName(name, part),
      about,
      imageName: imageNames.get(imageKey(each)) ?? '',
      limits: limitsOf(settings, part),
      volumes: Object.fromEntries(
        Object.entries(each.volumes).map(([path, volume]) => [path, volumeName(service, volume)]),
      ),
    })),
    volumes: Object.entries(service.volumes).map(([part, volume]) => ({ ...volume, name: qualifiedName(name, part) })),
  }
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

function volumeName({ name, volumes }: Service, volume: string): string {
  if (!Object.hasOwn(volumes, volume)) throw new Error(`service '${name}' mounts the unknown volume '${volume}'`)
  return qualifiedName(name, volume)
}
