import { describe, expect, it } from 'vitest'
import { defineLab } from '../../../../hosts/schema/lab-file.ts'
import { type HostServices, labOf, renderServices } from '../../../../overlays/host-services.ts'
import { configurationOf, serviceNamed, testHost, testServices } from '../../../helpers/host.ts'

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

  describe('in a lab with receivers', () => {
    const alerts = {
      webhook: 'http://ntfy.lab/alerts',
      mail: { to: 'me@example.org', from: 'lab@example.org', server: 'mail.lab:587' },
    }
    const rendered = (options: { webhook?: string } = {}) => {
      const host = testHost({ services: { alertmanager: { memory: '64 MiB', ...options } } })
      const lab = labOf(host)
      return renderServices(host, { ...lab, facts: defineLab({ alerts }) })
    }
    const receiverOf = (services: HostServices) =>
      JSON.parse(configurationOf(services, 'alertmanager', '/etc/alertmanager/alertmanager.yml')).receivers[0]

    it('alertmanager sends alerts to the webhook and the mail address of the lab file', () => {
      expect(receiverOf(rendered())).toEqual({
        name: 'owner',
        webhook_configs: [{ url: 'http://ntfy.lab/alerts' }],
        email_configs: [
          {
            ...{ to: 'me@example.org', from: 'lab@example.org', smarthost: 'mail.lab:587' },
            ...{ require_tls: true, send_resolved: true },
          },
        ],
      })
    })

    it('a webhook of the host file replaces the webhook of the lab file', () => {
      const { webhook_configs, email_configs } = receiverOf(rendered({ webhook: 'https://example.org/alerts' }))
      expect(webhook_configs).toEqual([{ url: 'https://example.org/alerts' }])
      expect(email_configs).toHaveLength(1)
    })

    it('alertmanager declares the connections to its receivers', () => {
      const usesOf = (services: HostServices) => serviceNamed(services, 'alertmanager').containers[0]?.uses
      expect(usesOf(rendered())).toEqual([{ internet: [['tcp', 80]] }, { internet: [['tcp', 587]] }])
      expect(usesOf(rendered({ webhook: 'https://example.org/alerts' }))).toEqual([
        { internet: [['tcp', 443]] },
        { internet: [['tcp', 587]] },
      ])
      expect(usesOf(testServices({ alertmanager: { memory: '64 MiB' } }))).toEqual([])
    })
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
