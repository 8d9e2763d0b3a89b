import type { Host } from '../../overlays/host-facts.ts'
import { renderServices } from '../../overlays/host-services.ts'

/** The ports of a host that its virtual machine forwards, with the first port to try on this machine. */
export function forwardsOf(host: Host) {
  const services = renderServices(host).services.flatMap(({ name, ports }) =>
    ports
      .filter(({ reach, protocol }) => reach === 'lab' && protocol === 'tcp')
      .map(({ number, web }, index) => ({
        name: index === 0 ? name : `${name}-${number}`,
        guestPort: number,
        // Only root may listen on a port below 1024.
        port: number < 1024 ? 10_000 + number : number,
        kind: web ? ('http' as const) : ('tcp' as const),
      })),
  )
  return [{ name: 'ssh', guestPort: 22, port: 2201, kind: 'ssh' as const }, ...services]
}
