import { describe, expect, it } from 'vitest'
import { checkUses } from '../../../hosts/schema/uses.ts'
import { type HostName, parseHostName } from '../../../images/names.ts'
import { BASE_OFFER } from '../../../overlays/base/offer.ts'
import { DEFAULT_FACTS, type LabHost } from '../../../overlays/lab-facts.ts'
import type { Port } from '../../../overlays/offer.ts'
import { withTestService } from '../../helpers/test-service.ts'

const TINY = parseHostName('tiny')
const port = (number: number, reach: Port['reach']): Port => ({
  number,
  reach,
  protocol: 'tcp',
  purpose: 'test',
  web: false,
})
const grafana = (reach: Port['reach'] = 'lab') => ({
  ...{ name: 'grafana', metrics: [], alerts: [], dashboards: [], mqtt: [] },
  ports: [port(3000, reach)],
})
const other = (name: string, ...offers: LabHost['offers']): LabHost => ({
  name: parseHostName(name),
  addresses: [],
  offers: [BASE_OFFER, ...offers],
})

/** The services of the host tiny: mosquitto, and `test`, which uses a port of a service. */
const connected = (service = 'grafana', number = 3000) => {
  const container = {
    image: { source: 'debian', packages: ['coreutils'], tree: {} },
    user: 'sshd',
    command: ['/usr/bin/true'],
    uses: [{ service, port: number }],
    health: { command: ['/usr/bin/true'], interval: 30 },
  } as const
  return withTestService({ containers: () => ({ test: container }) }, { mosquitto: { memory: '64 MiB' } })
}

/** Checks the host tiny in a lab with these other hosts, whose file names these providers. */
const using = (
  service: string,
  number: number,
  others: readonly LabHost[] = [],
  providers: Readonly<Record<string, HostName>> = {},
) => {
  const { services, lab } = connected(service, number)
  return () => checkUses(TINY, services, { facts: { ...DEFAULT_FACTS, providers }, hosts: [...lab.hosts, ...others] })
}

describe('a connection to another service', () => {
  it('a connection may go to a port of a service of the host, or of the host itself', () => {
    expect(using('mosquitto', 8883)).not.toThrow()
    expect(using('host', 9100)).not.toThrow()
  })

  it('a connection may go to a port of another host that is open to the lab', () => {
    expect(using('grafana', 3000, [other('starbuck', grafana())])).not.toThrow()
  })

  it('refuses a connection to a service that no host runs', () => {
    expect(using('grafana', 3000, [other('starbuck')])).toThrow(
      expect.objectContaining({
        message: "tiny: service 'test' uses port 3000 of 'grafana', but no host of the lab runs 'grafana'",
        hint: "add 'grafana' to 'services' in hosts/tiny.ts or of another host, or remove 'test'",
      }),
    )
  })

  it('refuses a connection to a port on which the service does not listen', () => {
    expect(using('mosquitto', 1883)).toThrow(
      "service 'test' uses port 1883 of 'mosquitto', but 'mosquitto' does not listen on it",
    )
  })

  it('refuses a connection to a port of another host that is open to that host only', () => {
    expect(using('grafana', 3000, [other('starbuck', grafana('host'))])).toThrow(
      expect.objectContaining({
        message: "tiny: service 'test' uses port 3000 of 'grafana', but it is open to 'starbuck' itself only",
        hint: "run 'grafana' on 'tiny' too, or 'test' on 'starbuck'",
      }),
    )
  })

  it('refuses a connection to a service of two hosts, until the lab file names one', () => {
    const both = [other('starbuck', grafana()), other('boomer', grafana('host'))]
    expect(using('grafana', 3000, both)).toThrow(
      expect.objectContaining({
        message: "tiny: service 'test' uses port 3000 of 'grafana', but several hosts run 'grafana': starbuck, boomer",
        hint: "name one of them in hosts/lab.ts: providers: { grafana: 'starbuck' }",
      }),
    )
    const check = (provider: string) => using('grafana', 3000, both, { grafana: parseHostName(provider) })
    expect(check('starbuck')).not.toThrow()
    expect(check('boomer')).toThrow("it is open to 'boomer' itself only")
  })

  it('refuses a connection whose provider has no valid host file, although another host runs the service', () => {
    expect(using('grafana', 3000, [other('starbuck', grafana())], { grafana: parseHostName('boomer') })).toThrow(
      expect.objectContaining({
        message: expect.stringContaining("hosts/lab.ts names 'boomer' for it, and hosts/boomer.ts is not valid"),
      }),
    )
  })

  it('the own host comes before the provider of the lab', () => {
    expect(using('mosquitto', 8883, [], { mosquitto: parseHostName('boomer') })).not.toThrow()
  })
})
