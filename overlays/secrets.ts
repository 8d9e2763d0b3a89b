import type { NeededSecret, SecretPlace } from '../images/secrets/needed-secret.ts'
import { parseSecretName } from '../images/secrets/secret-name.ts'
import type { EnvironmentValue, Secret } from './container.ts'
import type { ContainerOnHost, HostServices, ServiceOnHost } from './host-services.ts'

/** The secrets that the services of a host need, sorted by name. */
export function secretsOf({ services }: HostServices): NeededSecret[] {
  return services.flatMap(secretsOfService).sort((a, b) => (a.name < b.name ? -1 : 1))
}

function secretsOfService({ name: service, secrets, containers }: ServiceOnHost): NeededSecret[] {
  const used = containers.flatMap(secretUses)
  return Object.entries(secrets).map(([name, { about, value }]) => ({
    ...{ name: parseSecretName(name), service, about, value },
    places: used.filter(({ secret }) => secret.name === name).map(({ place }) => place),
  }))
}

/** A secret in a file or in the environment of a container. */
export interface SecretUse {
  readonly secret: Secret
  readonly place: SecretPlace
}

/** Where a container uses secrets; each secret once for each file and variable. */
export function secretUses({ name: container, files, environment }: ContainerOnHost): SecretUse[] {
  const inFiles = Object.entries(files).flatMap(([path, file]) =>
    distinct(secretsIn(file)).map((secret) => ({ secret, place: { kind: 'file', container, path } as const })),
  )
  const inVariables = Object.entries(environment).flatMap(([variable, value]) =>
    isSecret(value) ? [{ secret: value, place: { kind: 'variable', container, variable } as const }] : [],
  )
  return [...inFiles, ...inVariables]
}

function secretsIn(file: ContainerOnHost['files'][string]): Secret[] {
  if (file.kind === 'secret') return [file]
  return file.kind === 'template' ? file.parts.filter(isSecret) : []
}

function isSecret(value: EnvironmentValue): value is Secret {
  return typeof value !== 'string'
}

function distinct(secrets: readonly Secret[]): Secret[] {
  return [...new Map(secrets.map((secret) => [secret.name, secret])).values()]
}
