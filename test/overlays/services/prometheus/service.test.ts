import { describe, expect, it } from 'vitest'
import type { HostFile } from '../../../../hosts/schema/host.ts'
import { renderedServices } from '../../../../overlays/rendered.ts'
import { testHost } from '../../../helpers/host.ts'

function configuration(services: HostFile['services']) {
  const files = renderedServices(testHost({ services })).find(({ kind }) => kind.name === 'prometheus')?.rendered
  return JSON.parse(files?.configuration['/etc/prometheus/prometheus.yml'] ?? '')
}

interface Job {
  readonly job_name: string
  readonly static_configs: readonly { readonly targets: readonly string[] }[]
}
const targets = (services: HostFile['services']) =>
  configuration(services).scrape_configs.map((job: Job) => [job.job_name, job.static_configs[0]?.targets[0]])

const prometheus = { memory: '256 MiB' }

describe("prometheus' configuration", () => {
  it('reads the host and itself', () => {
    expect(targets({ prometheus })).toEqual([
      ['node', '127.0.0.1:9100'],
      ['prometheus', '127.0.0.1:9090'],
    ])
  })

  it('reads each neighbour that can be measured, and no other', () => {
    const names = targets({ prometheus, alertmanager: { memory: '64 MiB' }, mosquitto: { memory: '64 MiB' } })
    expect(names).toContainEqual(['alertmanager', '127.0.0.1:9093'])
    expect(names).toHaveLength(3)
  })

  it('sends alerts where the host has somebody who takes them', () => {
    const both = configuration({ prometheus, alertmanager: { memory: '64 MiB' } })
    expect(both.alerting.alertmanagers[0].static_configs[0].targets).toEqual(['127.0.0.1:9093'])
    expect(configuration({ prometheus })).not.toHaveProperty('alerting')
  })

  it('names the host in all that it measures', () => {
    const { global, scrape_configs } = configuration({ prometheus: { ...prometheus, interval: 60 } })
    expect(global).toMatchObject({ scrape_interval: '60s', external_labels: { host: 'tiny' } })
    expect(scrape_configs[0].static_configs[0].labels).toEqual({ host: 'tiny' })
  })

  it('loads the rules that lie beside it', () => {
    const [rendered] = renderedServices(testHost({ services: { prometheus } })).map((each) => each.rendered)
    for (const path of configuration({ prometheus }).rule_files) {
      const { groups } = JSON.parse(rendered?.configuration[path] ?? '')
      expect(groups[0].rules.map((rule: { alert: string }) => rule.alert)).toContain('TargetDown')
    }
  })
})
