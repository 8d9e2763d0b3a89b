import { describe, expect, it } from 'vitest'
import { renderedServices } from '../../../../overlays/rendered.ts'
import { testHost } from '../../../helpers/host.ts'

function configuration(options: { webhook?: string; repeatHours?: number } = {}) {
  const services = { alertmanager: { memory: '64 MiB', ...options } }
  const [alertmanager] = renderedServices(testHost({ services }))
  return JSON.parse(alertmanager?.rendered.configuration['/etc/alertmanager/alertmanager.yml'] ?? '')
}

describe("alertmanager's configuration", () => {
  it('only shows alerts where the host file names no receiver', () => {
    expect(configuration().receivers).toEqual([{ name: 'owner' }])
    expect(configuration().route).toMatchObject({ receiver: 'owner', repeat_interval: '4h' })
  })

  it('posts them where it does', () => {
    const { receivers, route } = configuration({ webhook: 'https://example.org/alerts', repeatHours: 12 })
    expect(receivers).toEqual([{ name: 'owner', webhook_configs: [{ url: 'https://example.org/alerts' }] }])
    expect(route.repeat_interval).toBe('12h')
  })

  it('is refused a receiver that is no address', () => {
    expect(() => configuration({ webhook: 'somewhere' })).toThrow("services.alertmanager.webhook'")
  })
})
