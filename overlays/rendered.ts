import type { Host, HostService } from './host-facts.ts'
import type { RenderedService, Service } from './service.ts'
import { findService } from './services/registry.ts'

export interface ServiceOnHost {
  readonly settings: HostService
  readonly kind: Service
  readonly rendered: RenderedService
  readonly ports: ReturnType<Service['ports']>
}

/** A host's services with everything that they say of themselves, in the order of their names. */
export function renderedServices(host: Host): ServiceOnHost[] {
  const known = host.services.map((settings) => ({ settings, kind: serviceKind(settings.name) }))
  const neighbours = known.map(({ settings, kind }) => ({
    name: settings.name,
    ports: kind.ports(settings.options),
    metrics: kind.metrics(settings.options),
  }))
  return known.map(({ settings, kind }) => ({
    settings,
    kind,
    ports: kind.ports(settings.options),
    rendered: kind.render(settings.options, host, neighbours),
  }))
}

function serviceKind(name: string): Service {
  const found = findService(name)
  if (found === undefined) throw new Error(`host with an unknown service '${name}': its schema should have refused it`)
  return found
}
