import type { Json } from '../../../images/canonical.ts'
import { mergedGroups } from '../../alert.ts'
import type { Use } from '../../container.ts'
import type { Offer, ScrapeTarget } from '../../offer.ts'
import type { ServiceContext } from '../../service.ts'

export const RULES = '/etc/prometheus/rules.yml'

/** The contents of `prometheus.yml`. Prometheus scrapes the host and every service of the host that has metrics. */
export function configuration(interval: number, { host, offers }: ServiceContext): Json {
  const job = ({ job, port, path }: ScrapeTarget) => ({
    job_name: job,
    metrics_path: path,
    static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { host: host.name } }],
  })
  const alertmanager = alertmanagerPort(offers)
  return {
    global: {
      scrape_interval: `${interval}s`,
      evaluation_interval: `${interval}s`,
      external_labels: { host: host.name },
    },
    rule_files: [RULES],
    ...(alertmanager === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanager}`] }] }] } }),
    scrape_configs: offers.flatMap(({ metrics }) => metrics.map(job)),
  }
}

/** The contents of the rules file: prometheus' own alerts, then those of the host and of the other services. */
export function rules({ offers }: ServiceContext): Json {
  const isOwn = ({ name }: Offer) => name === 'prometheus'
  const ordered = [...offers.filter(isOwn), ...offers.filter((each) => !isOwn(each))]
  return { groups: mergedGroups(ordered.flatMap(({ alerts }) => alerts)) }
}

/** The ports that prometheus connects to. */
export function connections({ offers }: ServiceContext): Use[] {
  const alertmanager = alertmanagerPort(offers)
  return [
    ...offers.flatMap(({ name, metrics }) => metrics.map(({ port }) => ({ service: name, port }))),
    ...(alertmanager === undefined ? [] : [{ service: 'alertmanager', port: alertmanager }]),
  ]
}

function alertmanagerPort(offers: readonly Offer[]): number | undefined {
  return offers.find(({ name }) => name === 'alertmanager')?.ports[0]?.number
}
