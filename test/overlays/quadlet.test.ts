import { describe, expect, it } from 'vitest'
import { quadlet } from '../../overlays/quadlet.ts'
import { renderedServices } from '../../overlays/rendered.ts'
import type { RenderedService } from '../../overlays/service.ts'
import { testHost } from '../helpers/host.ts'

const MIB = 2 ** 20

function rendered(changes: Partial<RenderedService> = {}): RenderedService {
  return {
    user: 'mosquitto',
    command: ['/usr/bin/true'],
    configuration: {},
    data: undefined,
    health: { command: ['/usr/bin/true'], interval: 30 },
    ...changes,
  }
}

const settings = { name: 'test', memory: 64 * MIB, cpus: 1, options: {} }
const linesOf = (changes: Partial<RenderedService>) => quadlet(settings, 'a test', rendered(changes)).split('\n')
const line = (key: string, changes: Partial<RenderedService>) =>
  linesOf(changes).find((each) => each.startsWith(`${key}=`))

describe('a quadlet', () => {
  it("is mosquitto's, to the letter", () => {
    const [mosquitto] = renderedServices(testHost({ services: { mosquitto: { memory: '96 MiB', cpus: 0.5 } } }))
    if (mosquitto === undefined) throw new Error('the host has no mosquitto')
    const text = quadlet(mosquitto.settings, mosquitto.kind.about, mosquitto.rendered)
    expect(text).toBe(MOSQUITTO)
  })

  it('mounts each configuration file read-only, in order, and data where there are some', () => {
    const volumes = linesOf({ configuration: { '/etc/b': '', '/etc/a': '' }, data: '/data' }).filter((each) =>
      each.startsWith('Volume='),
    )
    expect(volumes).toEqual([
      'Volume=/usr/share/hangar/services/test/etc/a:/etc/a:ro',
      'Volume=/usr/share/hangar/services/test/etc/b:/etc/b:ro',
      'Volume=/run/hangar/data/test:/data',
    ])
    expect(line('Volume', {})).toBeUndefined()
  })

  it('leaves plain words of a command as they are and quotes the others', () => {
    expect(line('Exec', { command: ['/bin/x', '--a=:1', 'two words', '', 'a"b'] })).toBe(
      String.raw`Exec=/bin/x --a=:1 "two words" "" "a\"b"`,
    )
  })

  it('doubles what systemd would put something else in for, in the command and the health check', () => {
    expect(line('Exec', { command: ['/bin/x', '$HOME', `\${A}`, '100%'] })).toBe('Exec=/bin/x "$$HOME" "$${A}" 100%%')
    expect(line('HealthCmd', { health: { command: ['/bin/x', '$SYS', '%h'], interval: 5 } })).toBe(
      'HealthCmd=["/bin/x","$$SYS","%%h"]',
    )
  })

  it('refuses a user that the id table does not have, with the line to add', () => {
    expect(() => linesOf({ user: 'nobody-knows' })).toThrow("no user 'nobody-knows' in the id table")
  })
})

const HEALTH =
  '["/usr/bin/mosquitto_sub","-h","127.0.0.1","-p","1883","-t","$$SYS/broker/version","-C","1","-W","5","-i","health"]'

const MOSQUITTO = `[Unit]
Description=mosquitto: MQTT broker; inside the lab anybody may publish and subscribe
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
Volume=/usr/share/hangar/services/mosquitto/etc/mosquitto/mosquitto.conf:/etc/mosquitto/mosquitto.conf:ro
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
