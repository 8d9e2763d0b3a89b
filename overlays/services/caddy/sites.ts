import type { Offer, Port } from '../../offer.ts'
import type { ServiceContext } from '../../service.ts'

/** A service behind the HTTPS entry of its host. */
export interface Site {
  readonly service: string
  /** The name that a browser opens: `prometheus.lab`. */
  readonly name: string
  /** The port of the service on the host itself. */
  readonly port: number
  readonly browsers: 'all' | 'with-certificate'
}

/** A site for the first web port of each service of the host. The host itself and caddy have none. */
export function sitesOf({ offers, lab }: Pick<ServiceContext, 'offers' | 'lab'>): Site[] {
  return offers
    .filter(({ name }) => name !== 'host' && name !== 'caddy')
    .flatMap(({ name, ports }: Offer) => {
      const port = ports.find(isWeb)
      if (port === undefined) return []
      const { number, browsers = 'all' } = port
      return [{ service: name, name: `${name}.${lab.facts.domain}`, port: number, browsers }]
    })
}

function isWeb({ web, protocol }: Port): boolean {
  return web && protocol === 'tcp'
}
