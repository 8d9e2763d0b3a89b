import type { Host } from '../../overlays/host-facts.ts'
import { renderedServices } from '../../overlays/rendered.ts'

/** Ports of a host that are worth reaching in a virtual machine, and the ones on this machine that are tried first. */
export function forwardsOf(host: Host) {
  const services = renderedServices(host).flatMap(({ kind, ports, settings }) => {
    const web = kind.metrics(settings.options)?.port
    return ports
      .filter(({ reach, protocol }) => reach === 'lab' && protocol === 'tcp')
      .map(({ number }) => ({
        name: kind.name,
        guestPort: number,
        port: number,
        kind: number === web ? ('http' as const) : ('tcp' as const),
      }))
  })
  return [{ name: 'ssh', guestPort: 22, port: 2201, kind: 'ssh' as const }, ...services]
}
