import { describe, expect, it } from 'vitest'
import { NO_CERTIFICATES } from '../../images/certificates/need.ts'
import { type ContainerDefinition, container } from '../../overlays/container.ts'
import type { ContainerOnHost } from '../../overlays/host-services.ts'
import { fileText, quadlet, timer } from '../../overlays/quadlet.ts'
import { serviceNamed, testServices } from '../helpers/host.ts'

const MIB = 2 ** 20

type Changes = Partial<ContainerDefinition> & Partial<Pick<ContainerOnHost, 'borrowed'>>

function onHost({ borrowed = {}, ...changes }: Changes = {}): ContainerOnHost {
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
    limits: { memory: 64 * MIB, cpus: 1, tasks: 256, cpuWeight: 100 },
    borrowed,
  }
}

const linesOf = (changes: Changes) => quadlet(onHost(changes)).split('\n')
const linesWith = (key: string, changes: Changes) => linesOf(changes).filter((each) => each.startsWith(`${key}=`))
const line = (key: string, changes: Changes) => linesWith(key, changes)[0]

describe('quadlet', () => {
  it('renders exactly the expected quadlet for mosquitto', () => {
    const services = testServices({ mosquitto: { memory: '96 MiB', cpus: 0.5 } })
    const [mosquitto] = serviceNamed(services, 'mosquitto').containers
    if (mosquitto === undefined) throw new Error('mosquitto has no container')
    expect(quadlet(mosquitto)).toBe(MOSQUITTO)
  })

  it('limits the tasks of the container, and leaves more to its unit for podman', () => {
    const limits = { memory: 64 * MIB, cpus: 1, tasks: 32, cpuWeight: 300 }
    const lines = quadlet({ ...onHost(), limits }).split('\n')
    expect(lines).toEqual(expect.arrayContaining(['PidsLimit=32', 'TasksMax=288', 'CPUWeight=300']))
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

  it("mounts another user's volume read-only, and adds its group", () => {
    const changes = {
      volumes: { '/own': 'test', '/external': 'test-certificates' },
      borrowed: { 'test-certificates': 'acme' },
    }
    expect(linesWith('Volume', changes)).toEqual([
      'Volume=/run/hangar/data/test-certificates:/external:ro',
      'Volume=/run/hangar/data/test:/own',
    ])
    expect(line('PodmanArgs', changes)).toMatch(/ --group-add=123$/)
  })

  it('gives a program the rights that it needs, and no other', () => {
    expect(linesWith('AddCapability', { capabilities: ['NET_BIND_SERVICE'] })).toEqual([
      'AddCapability=NET_BIND_SERVICE',
    ])
    expect(linesWith('AddCapability', {})).toEqual([])
  })

  describe('a job', () => {
    const follow = { file: '/data/changed', container: 'other', command: ['/bin/reload', '--now'] }
    const job = { health: { hours: 6, follow }, volumes: { '/data': 'test' } }

    it('runs once when its timer starts it, with the limits of its container and no check', () => {
      expect(line('Type', job)).toBe('Type=oneshot')
      expect(line('MemoryMax', job)).toBe('MemoryMax=96M')
      for (const key of ['Notify', 'HealthCmd', 'HealthOnFailure', 'Restart', 'WantedBy'])
        expect(linesWith(key, job)).toEqual([])
    })

    it('runs a command in another container after a run that left a file behind', () => {
      expect(linesWith('ExecStopPost', job)).toEqual([
        'ExecStopPost=/bin/sh -c "[ ! -e /run/hangar/data/test/changed ] || { /usr/bin/podman exec other /bin/reload --now && rm -f /run/hangar/data/test/changed; }"',
      ])
      expect(linesWith('ExecStopPost', { health: { hours: 6 } })).toEqual([])
    })

    it('refuses a file that is not in a volume', () => {
      expect(() => linesOf({ ...job, volumes: {} })).toThrow("'/data/changed' is not in a volume of the container")
    })

    it('has a timer, which starts it soon after a boot and some hours after each run', () => {
      expect(timer(onHost(), { hours: 6 }).split('\n')).toEqual(
        expect.arrayContaining(['OnBootSec=2min', 'OnUnitInactiveSec=6h']),
      )
    })
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

  it('throws for a certificate that the build should have issued', () => {
    expect(() => fileText({ kind: 'ca' }, NO_CERTIFICATES)).toThrow('no certificate of the CA')
    const leaf = { kind: 'certificate', subject: 'test' } as const
    expect(() => fileText(leaf, NO_CERTIFICATES)).toThrow("no certificate of 'test'")
  })
})

describe('the quadlet of a container with secrets', () => {
  const SECRET = { kind: 'secret', name: 'test-key' } as const
  const NEEDS = [
    'Requires=hangar-secrets.service',
    'After=hangar-secrets.service',
    'ConditionPathExists=/run/hangar/secrets/test',
  ]

  it.each<[string, Partial<ContainerDefinition>]>([
    ['a file', { files: { '/etc/key': SECRET } }],
    ['a template', { files: { '/etc/key': { kind: 'template', parts: ['key = ', SECRET] } } }],
    ['a variable', { environment: { KEY: SECRET } }],
  ])('starts only after the host has decrypted the secrets of the container: %s', (_place, changes) => {
    expect(linesOf(changes)).toEqual(expect.arrayContaining(NEEDS))
  })

  it('a container without secrets does not wait for them', () => {
    for (const line of NEEDS) expect(linesOf({ files: { '/a': { kind: 'text', text: '' } } })).not.toContain(line)
  })

  it('mounts the decrypted files from memory, read-only, beside the files of the image', () => {
    const files = { '/etc/key': SECRET, '/etc/a': { kind: 'text', text: '' } } as const
    expect(linesWith('Volume', { files })).toEqual([
      'Volume=/usr/share/hangar/services/test/etc/a:/etc/a:ro',
      'Volume=/run/hangar/secrets/test/files/etc/key:/etc/key:ro',
    ])
  })

  it('reads secret variables from a file, so that no argument and no unit contains them', () => {
    const environment = { KEY: SECRET, ZONE: 'UTC' }
    expect(linesWith('Environment', { environment })).toEqual(['Environment=ZONE=UTC'])
    expect(linesWith('EnvironmentFile', { environment })).toEqual([
      'EnvironmentFile=/run/hangar/secrets/test/environment',
    ])
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
Requires=hangar-secrets.service
After=hangar-secrets.service
ConditionPathExists=/run/hangar/secrets/mosquitto
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
Volume=/run/hangar/secrets/mosquitto/files/etc/mosquitto/tls/mosquitto-health.key:/etc/mosquitto/tls/mosquitto-health.key:ro
Volume=/usr/share/hangar/services/mosquitto/etc/mosquitto/tls/mosquitto-health.pem:/etc/mosquitto/tls/mosquitto-health.pem:ro
Volume=/run/hangar/secrets/mosquitto/files/etc/mosquitto/tls/mosquitto.key:/etc/mosquitto/tls/mosquitto.key:ro
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
CPUWeight=100
TasksMax=512
Restart=always
RestartSec=5
RestartSteps=5
RestartMaxDelaySec=120
TimeoutStartSec=300

[Install]
WantedBy=multi-user.target
`
