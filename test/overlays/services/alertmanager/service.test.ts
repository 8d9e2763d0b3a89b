import { describe, expect, it } from 'vitest'
import { configurationOf, testServices } from '../../../helpers/host.ts'

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
