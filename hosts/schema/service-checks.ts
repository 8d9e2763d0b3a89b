import { UserError } from '../../errors.ts'
import type { HostName } from '../../images/names.ts'
import { BASE_OFFER } from '../../overlays/base/offer.ts'
import type { HostServices, ServiceOnHost } from '../../overlays/host-services.ts'
import { checkUses } from './uses.ts'

/** Refuses services that hangar cannot run, or that conflict with each other. */
export function checkServices(host: HostName, { services, lab }: HostServices): void {
  for (const each of services) checkSupport(host, each)
  checkNames(host, services)
  checkUsers(host, services)
  checkPorts(host, services)
  checkUses(host, services, lab)
}

/** Refuses features that a service definition can contain and that hangar does not support yet. */
function checkSupport(host: string, { name, containers, volumes }: ServiceOnHost): void {
  const refuse = (need: string, feature: string) => {
    throw new UserError('host', `${host}: service '${name}' needs ${need}: hangar does not support ${feature} yet`, {
      hint: `remove '${name}' from 'services' in hosts/${host}.ts`,
    })
  }
  for (const container of containers) {
    const { image, environment, files } = container
    if (image.source !== 'debian' && image.source !== 'npm')
      refuse(`an image from '${image.source}' for its container '${container.name}'`, 'this source')
    for (const each of [...Object.values(files), ...Object.values(environment)]) {
      if (typeof each === 'string') continue
      if (each.kind === 'secret') refuse(`the secret '${each.name}'`, 'secrets')
      if (each.kind === 'certificate') refuse(`a certificate for '${each.subject}'`, 'certificates')
      if (each.kind === 'ca') refuse("the CA's certificate", 'certificates')
    }
  }
  for (const volume of volumes)
    if (volume.binding === 'shared') refuse(`the shared volume '${volume.name}'`, 'shared volumes')
}

/** Subvolumes that the host itself keeps on the data volume: `overlays/device/system/data.sh`. */
const HOST_VOLUMES = ['var', 'keep']

function checkNames(host: string, services: readonly ServiceOnHost[]): void {
  const containers = services.flatMap((each) => each.containers.map(({ name }) => [name, `'${each.name}'`] as const))
  const volumes = services.flatMap((each) => each.volumes.map(({ name }) => [name, `'${each.name}'`] as const))
  refuseTwice(host, 'container name', containers)
  refuseTwice(host, 'volume name', [...HOST_VOLUMES.map((name) => [name, 'the host'] as const), ...volumes])
}

/**
 * Refuses two services with the same user, because file permissions and firewall rules identify services by user. The
 * containers of one service may share a user.
 */
function checkUsers(host: string, services: readonly ServiceOnHost[]): void {
  const usersOf = ({ containers }: ServiceOnHost) => [...new Set(containers.map(({ user }) => user))]
  refuseTwice(
    host,
    'user',
    services.flatMap((each) => usersOf(each).map((user) => [user, `'${each.name}'`] as const)),
  )
}

function checkPorts(host: string, services: readonly ServiceOnHost[]): void {
  refuseTwice(host, 'port', [
    ...BASE_OFFER.ports.map(
      ({ number, protocol, purpose }) => [`${number}/${protocol}`, `the host (${purpose})`] as const,
    ),
    ...services.flatMap(({ name, ports }) =>
      ports.map(({ number, protocol }) => [`${number}/${protocol}`, `'${name}'`] as const),
    ),
  ])
}

function refuseTwice(host: string, kind: string, owned: readonly (readonly [key: string, owner: string])[]): void {
  const owners = new Map<string, string>()
  for (const [key, owner] of owned) {
    const other = owners.get(key)
    if (other !== undefined)
      throw new UserError('host', `${host}: ${other} and ${owner} use the same ${kind}: ${key}`, {
        hint: `move one of the two services to another host, or change its ${kind} in hosts/${host}.ts or overlays/services`,
      })
    owners.set(key, owner)
  }
}
