import { describe, expect, it } from 'vitest'
import { type ContainerDefinition, container } from '../../overlays/container.ts'
import type { ContainerOnHost } from '../../overlays/host-services.ts'
import { fileText, quadlet } from '../../overlays/quadlet.ts'
import { serviceNamed, testServices } from '../helpers/host.ts'

const MIB = 2 ** 20

function onHost(changes: Partial<ContainerDefinition> = {}): ContainerOnHost {
  return {
    ...container({
      image: { source: 'debian', packages: [], tree: {} },
      user: 'mosquitto',
      command: ['/usr/bin/true'],
      health: { command: ['/usr/bin/true'], interval: 30 },
      ...changes,
    }),
    name: 'test',
    about: 'a test',
    imageName: 'test',
    limits: { memory: 64 * MIB, cpus: 1 },
  }
}

const linesOf = (changes: Partial<ContainerDefinition>) => quadlet(onHost(changes)).split('\n')
const linesWith = (key: string, changes: Partial<ContainerDefinition>) =>
  linesOf(changes).filter((each) => each.startsWith(`${key}=`))
const line = (key: string, changes: Partial<ContainerDefinition>) => linesWith(key, changes)[0]

describe('quadlet', () => {
  it('renders exactly the expected quadlet for mosquitto', () => {
    const services = testServices({ mosquitto: { memory: '96 MiB', cpus: 0.5 } })
    const [mosquitto] = serviceNamed(services, 'mosquitto').containers
    if (mosquitto === undefined) throw new Error('mosquitto has no container')
    expect(quadlet(mosquitto)).toBe(MOSQUITTO)
  })

  it('mounts each file read-only, in order, then the volumes', () => {
    const text = { kind: 'text', text: '' } as const
    const files = { '/etc/b': text, '/etc/a': text }
    expect(linesWith('Volume', { files, volumes: { '/data': 'test', '/cache': 'test-cache' } })).toEqual([
      'Volume=/usr/share/hangar/services/test/etc/a:/etc/a:ro',
      'Volume=/usr/share/hangar/services/test/etc/b:/etc/b:ro',
      'Volume=/run/hangar/data/test-cache:/cache',
      'Volume=/run/hangar/data/test:/data',
    ])
    expect(line('Volume', {})).toBeUndefined()
  })

  it('runs the image of the container', () => {
    const shared = quadlet({ ...onHost(), name: 'test-worker', imageName: 'test-server' }).split('\n')
    expect(shared).toEqual(
      expect.arrayContaining(['ContainerName=test-worker', 'Image=localhost/hangar/test-server:latest']),
    )
  })

  it('sets the environment in order, and quotes values only if necessary', () => {
    const environment = { ZONE: 'a b', MALLOC_ARENA_MAX: '2', PRICE: '5$' }
    expect(linesWith('Environment', { environment })).toEqual([
      'Environment=MALLOC_ARENA_MAX=2',
      'Environment="PRICE=5$$"',
      'Environment="ZONE=a b"',
    ])
  })

  it('adds devices, and marks optional ones with a hyphen', () => {
    const uses = [
      { device: '/dev/serial/by-id/usb-stick', path: '/dev/ttyZigbee', group: 20, missing: 'start' },
      { device: '/dev/gpiochip0', missing: 'fail' },
      { internet: [['tcp', 443]] },
    ] as const
    expect(linesWith('AddDevice', { uses })).toEqual([
      'AddDevice=-/dev/serial/by-id/usb-stick:/dev/ttyZigbee',
      'AddDevice=/dev/gpiochip0',
    ])
    expect(line('PodmanArgs', { uses })).toMatch(/ --image-volume=ignore --group-add=20$/)
    expect(line('PodmanArgs', {})).not.toContain('--group-add')
  })

  it('starts with its device and stops with it, if the container waits for the device', () => {
    const device = '/dev/serial/by-id/usb-stick'
    const uses = [{ device, path: '/dev/zigbee', missing: 'wait' }] as const
    const unit = String.raw`dev-serial-by\x2did-usb\x2dstick.device`
    expect(line('BindsTo', { uses })).toBe(`BindsTo=${unit}`)
    expect(linesWith('After', { uses })).toEqual(['After=hangar-data.service', `After=${unit}`])
    expect(line('X-WaitsFor', { uses })).toBe(`X-WaitsFor=${device}`)
    expect(linesWith('WantedBy', { uses })).toEqual([`WantedBy=${unit}`])
    expect(line('AddDevice', { uses })).toBe(`AddDevice=${device}:/dev/zigbee`)
    for (const missing of ['fail', 'start'] as const) {
      const other = { uses: [{ device, missing }] }
      expect(line('BindsTo', other)).toBeUndefined()
      expect(linesWith('WantedBy', other)).toEqual(['WantedBy=multi-user.target'])
    }
  })

  it('quotes the words of a command only if necessary', () => {
    expect(line('Exec', { command: ['/bin/x', '--a=:1', 'two words', '', 'a"b'] })).toBe(
      String.raw`Exec=/bin/x --a=:1 "two words" "" "a\"b"`,
    )
  })

  it('doubles the characters that systemd expands, in the command and in the health check', () => {
    expect(line('Exec', { command: ['/bin/x', '$HOME', `\${A}`, '100%'] })).toBe('Exec=/bin/x "$$HOME" "$${A}" 100%%')
    expect(line('HealthCmd', { health: { command: ['/bin/x', '$SYS', '%h'], interval: 5 } })).toBe(
      'HealthCmd=["/bin/x","$$SYS","%%h"]',
    )
  })

  it('refuses a user that is not in the id table, with the line to add', () => {
    expect(() => linesOf({ user: 'unknown-user' })).toThrow("the id table has no user 'unknown-user'")
  })

  it('throws for a secret that the checks should have refused', () => {
    const environment = { TOKEN: { kind: 'secret', name: 'token' } } as const
    expect(() => linesOf({ environment })).toThrow("cannot render the secret 'token'")
    expect(() => fileText({ kind: 'ca' })).toThrow("cannot render a file of kind 'ca'")
  })
})

const TLS = [
  ['--cafile', '/etc/mosquitto/tls/ca.pem'],
  ['--cert', '/etc/mosquitto/tls/mosquitto-health.pem'],
  ['--key', '/etc/mosquitto/tls/mosquitto-health.key'],
]
  .flat()
  .map((word) => JSON.stringify(word))
  .join()

const HEALTH = `["/usr/bin/mosquitto_sub","-h","tiny.lab","-p","8883",${TLS},"-t","$$SYS/broker/version","-C","1","-W","5","-i","health"]`

const MOSQUITTO = `[Unit]
Description=mosquitto: MQTT broker; TLS with client certificates only, and a list of topics for each client
Requires=hangar-data.service
After=hangar-data.service
ConditionPathExists=!/run/hangar/data-failed
StartLimitIntervalSec=0

[Container]
ContainerName=mosquitto
Image=localhost/hangar/mosquitto:latest
Pull=never
Network=host
ReadOnly=true
ReadOnlyTmpfs=false
Tmpfs=/tmp:size=16M,mode=1777
DropCapability=all
NoNewPrivileges=true
User=120
Group=120
PidsLimit=256
LogDriver=journald
Volume=/usr/share/hangar/services/mosquitto/etc/mosquitto/access:/etc/mosquitto/access:ro
Volume=/usr/share/hangar/services/mosquitto/etc/mosquitto/mosquitto.conf:/etc/mosquitto/mosquitto.conf:ro
Volume=/usr/share/hangar/services/mosquitto/etc/mosquitto/tls/ca.pem:/etc/mosquitto/tls/ca.pem:ro
Volume=/usr/share/hangar/services/mosquitto/etc/mosquitto/tls/mosquitto-health.key:/etc/mosquitto/tls/mosquitto-health.key:ro
Volume=/usr/share/hangar/services/mosquitto/etc/mosquitto/tls/mosquitto-health.pem:/etc/mosquitto/tls/mosquitto-health.pem:ro
Volume=/usr/share/hangar/services/mosquitto/etc/mosquitto/tls/mosquitto.key:/etc/mosquitto/tls/mosquitto.key:ro
Volume=/usr/share/hangar/services/mosquitto/etc/mosquitto/tls/mosquitto.pem:/etc/mosquitto/tls/mosquitto.pem:ro
Volume=/run/hangar/data/mosquitto:/data
HealthCmd=${HEALTH}
HealthInterval=30s
HealthTimeout=30s
HealthRetries=3
HealthStartupCmd=${HEALTH}
HealthStartupInterval=5s
HealthStartupTimeout=30s
HealthStartupRetries=0
HealthOnFailure=kill
Notify=healthy
PodmanArgs=--memory=96m --memory-swap=96m --cpus=0.5 --image-volume=ignore
Exec=/usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf

[Service]
Slice=hangar.slice
MemoryMax=128M
CPUQuota=150%
TasksMax=512
Restart=always
RestartSec=5
RestartSteps=5
RestartMaxDelaySec=120
TimeoutStartSec=300

[Install]
WantedBy=multi-user.target
`
