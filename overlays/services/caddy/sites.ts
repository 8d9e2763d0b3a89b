import { UserError } from '../../../errors.ts'
import { quoted } from '../../../images/quoted.ts'
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

/** The sites with names of the internet: name -> service. Throws UserError for a service without a site. */
export function externalSites(names: Readonly<Record<string, string>>, sites: readonly Site[], host: string): Site[] {
  return Object.entries(names).map(([name, service]) => {
    const site = sites.find((each) => each.service === service)
    if (site !== undefined) return { ...site, name }
    const known = sites.map((each) => each.service)
    throw new UserError(
      'host',
      `hosts/${host}.ts at 'services.caddy.external.names.${name}': no service ${quoted(service)} with a web page on this host`,
      {
        hint:
          known.length === 0
            ? `add the service to 'services' in hosts/${host}.ts`
            : `services with a web page: ${known.join(', ')}`,
      },
    )
  })
}
