import { describe, expect, it } from 'vitest'
import { type Container, containersOf } from '../../overlays/containers.ts'
import { testHost } from '../helpers/host.ts'

const [mosquitto, prometheus] = containersOf(testHost())

const textOf = (container: Container | undefined, path: string) => {
  const entry = container?.tree[path]
  return entry?.kind === 'file' ? String(entry.content) : undefined
}

describe('a container', () => {
  it('is made for each service, from its own packages', () => {
    expect(mosquitto).toMatchObject({ name: 'mosquitto', packages: ['mosquitto', 'mosquitto-clients'] })
    expect(prometheus).toMatchObject({ name: 'prometheus', packages: ['prometheus', 'busybox-static'] })
  })

  it('has a place for everything that is mounted into its read-only root', () => {
    for (const path of ['/tmp', '/proc', '/sys', '/dev', '/run', '/data'])
      expect(mosquitto?.tree[path]).toMatchObject({ kind: 'directory' })
    expect(textOf(mosquitto, '/etc/mosquitto/mosquitto.conf')).toBe('')
    expect(textOf(prometheus, '/etc/prometheus/rules.yml')).toBe('')
  })

  it('knows root, nobody and the user that it runs as, and no other', () => {
    const users = textOf(mosquitto, '/etc/passwd')
      ?.split('\n')
      .map((line) => line.split(':').slice(0, 3).join(':'))
    expect(users).toEqual(['root:x:0', 'mosquitto:x:120', 'nobody:x:65534', ''])
  })

  it('does not change with what its service is configured to do', () => {
    const services = { mosquitto: { memory: '64 MiB', maxPacketSize: 7 } }
    expect(containersOf(testHost({ services }))).toEqual([mosquitto])
  })
})
