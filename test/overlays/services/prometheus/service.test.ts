import { describe, expect, it } from 'vitest'
import type { HostFile } from '../../../../hosts/schema/host.ts'
import type { HostServices } from '../../../../overlays/host-services.ts'
import { configurationOf, serviceNamed, testServices } from '../../../helpers/host.ts'
import { withTestService } from '../../../helpers/test-service.ts'

const PROMETHEUS = { prometheus: { memory: '256 MiB' } }
const ALERTMANAGER = { alertmanager: { memory: '64 MiB' } }

const fileOf = (services: HostServices, path: string) => JSON.parse(configurationOf(services, 'prometheus', path))
const configuration = (services: HostFile['services']) =>
  fileOf(testServices(services), '/etc/prometheus/prometheus.yml')

interface Job {
  readonly job_name: string
  readonly static_configs: readonly { readonly targets: readonly string[] }[]
}
const targets = (services: HostFile['services']) =>
  configuration(services).scrape_configs.map((job: Job) => [job.job_name, job.static_configs[0]?.targets[0]])

interface Group {
  readonly name: string
  readonly rules: readonly { readonly alert: string }[]
}
const groups = (services: HostServices) =>
  fileOf(services, '/etc/prometheus/rules.yml').groups.map(({ name, rules }: Group) => [
    name,
    rules.map(({ alert }) => alert),
  ])

describe('the configuration of prometheus', () => {
  it('prometheus scrapes the host and itself', () => {
    expect(targets(PROMETHEUS)).toEqual([
      ['node', '127.0.0.1:9100'],
      ['prometheus', '127.0.0.1:9090'],
    ])
  })

  it('prometheus scrapes each service with metrics, and no other', () => {
    const names = targets({ ...PROMETHEUS, ...ALERTMANAGER, mosquitto: { memory: '64 MiB' } })
    expect(names).toContainEqual(['alertmanager', '127.0.0.1:9093'])
    expect(names).toHaveLength(3)
  })

  it('prometheus sends alerts to the alertmanager of the host', () => {
    const both = configuration({ ...PROMETHEUS, ...ALERTMANAGER })
    expect(both.alerting.alertmanagers[0].static_configs[0].targets).toEqual(['127.0.0.1:9093'])
    expect(configuration(PROMETHEUS)).not.toHaveProperty('alerting')
  })

  it('prometheus labels all metrics with the name of the host', () => {
    const { global, scrape_configs } = configuration({ prometheus: { ...PROMETHEUS.prometheus, interval: 60 } })
    expect(global).toMatchObject({ scrape_interval: '60s', external_labels: { host: 'tiny' } })
    expect(scrape_configs[0].static_configs[0].labels).toEqual({ host: 'tiny' })
  })

  it('prometheus loads its rules file', () => {
    expect(configuration(PROMETHEUS).rule_files).toEqual(['/etc/prometheus/rules.yml'])
  })
})

describe('the rules of prometheus', () => {
  const HOST = [
    'TargetDown',
    'UnitFailed',
    'UnitRestarting',
    'DiskAlmostFull',
    'VolumeAlmostFull',
    'FirewallRejects',
    'FirewallNotLoaded',
    'MemoryShort',
    'SlotLeft',
    'SlotsFail',
    'Hot',
  ]

  it('prometheus loads its own rules and the rules of the host', () => {
    expect(groups(testServices(PROMETHEUS))).toEqual([['host', HOST]])
  })

  it('the rules of prometheus include the rules of every service', () => {
    const rule = { alert: 'TestBroken', expr: 'test == 0', for: '5m', annotations: { summary: 'broken' } }
    const services = withTestService({ alerts: () => [{ name: 'test', rules: [rule] }] }, PROMETHEUS)
    expect(groups(services)).toEqual([
      ['host', HOST],
      ['test', ['TestBroken']],
    ])
  })
})

describe('prometheus', () => {
  it('the service prometheus declares every port that it scrapes, and the port of the alertmanager', () => {
    const [container] = serviceNamed(testServices({ ...PROMETHEUS, ...ALERTMANAGER }), 'prometheus').containers
    expect(container?.uses).toEqual([
      { service: 'host', port: 9100 },
      { service: 'alertmanager', port: 9093 },
      { service: 'prometheus', port: 9090 },
      { service: 'alertmanager', port: 9093 },
    ])
  })
})
