import { describe, expect, it } from 'vitest'
import { renderedServices } from '../../overlays/rendered.ts'
import { testHost } from '../helpers/host.ts'

describe('the services of a host', () => {
  it('come in the order of their names, with the settings of the host file', () => {
    const services = { prometheus: { memory: '256 MiB', retentionDays: 3 }, alertmanager: { memory: '64 MiB' } }
    const rendered = renderedServices(testHost({ services }))
    expect(rendered.map(({ kind }) => kind.name)).toEqual(['alertmanager', 'prometheus'])
    expect(rendered[1]?.settings).toMatchObject({ memory: 256 * 2 ** 20, cpus: 1, options: { retentionDays: 3 } })
    expect(rendered[1]?.rendered.command).toContain('--storage.tsdb.retention.time=3d')
  })

  it('are none where the file names none', () => {
    expect(renderedServices(testHost({ services: {} }))).toEqual([])
  })

  it('are the same whatever order the file names them in', () => {
    const [mosquitto, prometheus] = [{ memory: '64 MiB' }, { memory: '128 MiB' }]
    const one = renderedServices(testHost({ services: { mosquitto, prometheus } }))
    const other = renderedServices(testHost({ services: { prometheus, mosquitto } }))
    expect(one.map(({ rendered }) => rendered)).toEqual(other.map(({ rendered }) => rendered))
  })

  it('stop the program where the schema let through what nobody knows', () => {
    const host = testHost()
    const [first] = host.services
    if (first === undefined) throw new Error('the host has no service')
    expect(() => renderedServices({ ...host, services: [{ ...first, name: 'grafana' }] })).toThrow(
      "unknown service 'grafana'",
    )
  })
})
