import { describe, expect, it } from 'vitest'
import { configurationOf, serviceNamed, testServices } from '../../../helpers/host.ts'
import { withTestService } from '../../../helpers/test-service.ts'

const CADDY = { caddy: { memory: '64 MiB' } }
const PROMETHEUS = { prometheus: { memory: '64 MiB' } }
const caddyfileOf = (services: ReturnType<typeof testServices>) =>
  configurationOf(services, 'caddy', '/etc/caddy/Caddyfile')

describe('caddy', () => {
  const both = testServices({ ...CADDY, ...PROMETHEUS, mosquitto: { memory: '64 MiB' } })

  it('has a site for each service of the host with a web page, and for no other', () => {
    expect(caddyfileOf(both).match(/^https:.*/gm)).toEqual(['https://prometheus.lab {'])
    expect(caddyfileOf(testServices(CADDY)).match(/^https:.*/gm)).toBeNull()
  })

  it('asks for a certificate with the names of its sites', () => {
    expect(serviceNamed(both, 'caddy').certificates).toMatchObject({
      caddy: { usages: ['server'], names: ['prometheus.lab'] },
    })
  })

  it('uses the ports of its sites', () => {
    expect(serviceNamed(both, 'caddy').containers[0]?.uses).toEqual([{ service: 'prometheus', port: 9090 }])
  })

  it('has one site for a service with several web pages: the first one', () => {
    const web = (number: number) => ({ number, protocol: 'tcp', reach: 'host', purpose: 'test', web: true }) as const
    const services = withTestService({ ports: () => [{ ...web(1), web: false }, web(2), web(3)] }, CADDY)
    expect(caddyfileOf(services).match(/127\.0\.0\.1:\d+/g)).toEqual(['127.0.0.1:2'])
  })
})
