import { describe, expect, it } from 'vitest'
import { configurationOf, serviceNamed, testServices } from '../../../helpers/host.ts'

function configuration(options: { webhook?: string; repeatHours?: number } = {}) {
  const services = testServices({ alertmanager: { memory: '64 MiB', ...options } })
  return JSON.parse(configurationOf(services, 'alertmanager', '/etc/alertmanager/alertmanager.yml'))
}

describe('the configuration of alertmanager', () => {
  it('alertmanager has a receiver without a webhook by default', () => {
    expect(configuration().receivers).toEqual([{ name: 'owner' }])
    expect(configuration().route).toMatchObject({ receiver: 'owner', repeat_interval: '4h' })
  })

  it('alertmanager posts alerts to the webhook of the host file', () => {
    const { receivers, route } = configuration({ webhook: 'https://example.org/alerts', repeatHours: 12 })
    expect(receivers).toEqual([{ name: 'owner', webhook_configs: [{ url: 'https://example.org/alerts' }] }])
    expect(route.repeat_interval).toBe('12h')
  })

  it('alertmanager refuses a webhook that is not a URL', () => {
    expect(() => configuration({ webhook: 'somewhere' })).toThrow("services.alertmanager.webhook'")
  })
})

describe('the firewall of alertmanager', () => {
  const uses = (webhook?: string) =>
    serviceNamed(testServices({ alertmanager: { memory: '64 MiB', webhook } }), 'alertmanager').containers[0]?.uses

  it.each([
    ['https://example.org/alerts', [{ internet: [['tcp', 443]] }]],
    ['http://example.org:8080', [{ internet: [['tcp', 8080]] }]],
    ['http://192.0.2.30/alerts', [{ machine: '192.0.2.30', ports: [['tcp', 80]] }]],
    ['http://[FD00::30]:81/', [{ machine: 'fd00::30', ports: [['tcp', 81]] }]],
    ['http://tiny.lab:9/', [{ machine: '192.0.2.10', ports: [['tcp', 9]] }]],
    ['http://localhost:9/', ['127.0.0.1', '::1'].map((machine) => ({ machine, ports: [['tcp', 9]] }))],
  ])('alertmanager reaches the server of its webhook: %s', (webhook, wanted) => {
    expect(uses(webhook)).toEqual(wanted)
  })

  it('alertmanager reaches nothing without a webhook', () => {
    expect(uses()).toEqual([])
  })
})
