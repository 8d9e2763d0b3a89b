import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { networkFiles } from '../../../../overlays/base/network.ts'
import { AgentHost, BUILT, describeAgent } from '../../../helpers/agent-host.ts'
import type { FakeDevice } from '../../../helpers/fake-device.ts'
import { fakePrograms } from '../../../helpers/fake-programs.ts'
import { textAt } from '../../../helpers/file-tree.ts'
import { testHost } from '../../../helpers/host.ts'

const unit = (name: string, state: string, limit: string) =>
  `MemoryMax=${limit}\nId=${name}.service\nActiveState=${state}\n`
const [DAY, YEAR] = [86_400, 31_557_600]

/** The gateways of a host file, and the default routes as `ip` prints them. */
const network = (device: FakeDevice, gateway: string | string[], routes: readonly string[]) => {
  const host = testHost({ network: { address: ['192.0.2.10/24', '2001:db8::10/64'], gateway } })
  device.write('net/file', textAt(networkFiles(host), '/etc/systemd/network/10-lab.network'))
  const lines = (chosen: readonly string[]) => chosen.map((route) => `${route}\n`).join('')
  const isIpv6 = (route: string) => route.includes(':')
  device.write('net/route', lines(routes.filter((route) => !isIpv6(route))))
  device.write('net/route-6', lines(routes.filter(isIpv6)))
}
const VIA_4 = 'default via 192.0.2.1 dev end0 proto static '
const VIA_6 = 'default via 2001:db8::1 dev end0 proto static metric 1024 pref medium'
const VIA_LINK = 'default via fe80::1 dev end0 proto static metric 1024 pref medium'

/** A problem, the code that causes it, and the reasons that health reports. */
const WRONG: readonly (readonly [string, (device: FakeDevice) => void, readonly string[]])[] = [
  ['nothing', () => undefined, []],
  [
    'failed units',
    (device) => {
      device.write('systemd/state', 'SystemState=degraded\nNFailedUnits=2\n')
      device.write('systemd/failed', 'nut.service loaded failed failed NUT\nvar-log.mount loaded failed failed x\n')
    },
    ['unit nut.service has failed', 'unit var-log.mount has failed'],
  ],
  [
    'a system that still starts',
    (device) => {
      device.write('systemd/state', 'NFailedUnits=0\nSystemState=starting\n')
      device.write(
        'systemd/jobs',
        '1 grafana.service start running\n2 hangar-trial.service start running\n3 x.mount start waiting\n',
      )
    },
    ['still starting: grafana.service, x.mount'],
  ],
  [
    'a system in rescue mode',
    (device) => device.write('systemd/state', 'SystemState=maintenance\nNFailedUnits=0\n'),
    ["systemd reports the state 'maintenance'"],
  ],
  [
    'a systemd that does not answer',
    (device) => device.write('systemd/state', ''),
    ["systemd reports the state 'unknown'"],
  ],
  [
    'an unhealthy service next to a healthy one',
    (device) => {
      device.write('services/nut.container', '')
      device.write('systemd/units', `${unit('grafana', 'active', '9')}\n${unit('nut', 'activating', '9')}`)
    },
    ['service nut is not healthy: activating'],
  ],
  [
    'a job that is between two runs, next to one that failed',
    (device) => {
      for (const name of ['backup', 'renewal']) device.write(`services/${name}.container`, '[Service]\nType=oneshot\n')
      device.write('systemd/state', 'SystemState=degraded\nNFailedUnits=1\n')
      device.write('systemd/failed', 'renewal.service loaded failed failed renewal\n')
    },
    [],
  ],
  [
    'a service without a limit',
    (device) => device.write('systemd/units', unit('grafana', 'active', 'infinity')),
    ['service grafana runs without its memory limit'],
  ],
  [
    'services unknown to systemd',
    (device) => device.write('systemd/units', unit('other', 'active', '9')),
    ['service grafana is not healthy: unknown', 'service grafana runs without its memory limit'],
  ],
  [
    'a kernel without memory limits',
    (device) => device.write('sys/fs/cgroup/cgroup.controllers', 'cpu hugememory pids\n'),
    ['the kernel does not enforce memory limits'],
  ],
  [
    'little memory',
    (device) => device.write('proc/meminfo', 'MemTotal: 8000000 kB\nMemAvailable: 399999 kB\n'),
    ['only 390 MiB of memory are available'],
  ],
  [
    'a firewall whose rules could not be loaded',
    (device) => {
      device.write('net/tables', 'inet emergency\n')
      device.write('systemd/state', 'SystemState=degraded\nNFailedUnits=1\n')
      device.write('systemd/failed', 'nftables.service loaded failed failed nftables\n')
    },
    ['unit nftables.service has failed', 'the firewall is not loaded: systemctl status nftables'],
  ],
  [
    'a firewall whose rules were removed',
    (device) => device.write('net/tables', ''),
    ['the firewall is not loaded: systemctl status nftables'],
  ],
  ['no gateway', (device) => device.write('net/route', ''), ['there is no default gateway']],
  [
    'a gateway that answers neither pings nor ARP',
    (device) => {
      device.fake('ping', 'exit 1')
      device.write('net/neigh', '192.0.2.1 dev end0 FAILED\n')
    },
    ['the default gateway 192.0.2.1 does not answer'],
  ],
  [
    'a gateway that answers ARP but no pings',
    (device) => {
      device.fake('ping', 'exit 1')
      device.write('net/neigh', '192.0.2.1 dev end0 lladdr 00:00:5e:00:53:01 REACHABLE\n')
    },
    [],
  ],
  [
    'a gateway of IPv6 that answers pings',
    (device) => {
      network(device, '2001:DB8:0::1', [VIA_6])
      device.fake('ping', '[ "$7" = 2001:db8::1 ]')
    },
    [],
  ],
  [
    'a link-local gateway that answers pings on its interface only',
    (device) => {
      network(device, 'fe80::1', [VIA_LINK])
      device.fake('ping', '[ "$7" = fe80::1%end0 ]')
    },
    [],
  ],
  [
    'a link-local gateway that answers neighbour discovery but no pings',
    (device) => {
      network(device, 'febf::1', [VIA_LINK.replace('fe80', 'febf')])
      device.fake('ping', 'exit 1')
      device.fake(
        'ip',
        `case "$*" in
        "-6 route"*) cat "$FAKE_ROOT/net/route-6" ;;
        "neigh show febf::1 dev end0") echo 'febf::1 lladdr 00:00:5e:00:53:01 router REACHABLE' ;;
      esac`,
      )
    },
    [],
  ],
  [
    'a gateway of IPv6 that does not answer beside one of IPv4 that does',
    (device) => {
      network(device, ['192.0.2.1', 'fe80::1'], [VIA_4, VIA_LINK])
      device.fake('ping', 'case $7 in *:*) exit 1 ;; esac')
    },
    ['the default gateway fe80::1 does not answer'],
  ],
  [
    'a gateway of IPv6 without a route beside one of IPv4',
    (device) => network(device, ['192.0.2.1', '2001:db8::1'], [VIA_4]),
    ['there is no default route through the gateway 2001:db8::1'],
  ],
  [
    'a default route through another gateway than that of the host file',
    (device) => network(device, '2001:db8::1', [VIA_LINK, 'default dev wg0 scope link']),
    ['there is no default route through the gateway 2001:db8::1'],
  ],
  [
    'gateways of IPv4 and IPv6 that answer',
    (device) => network(device, ['fe80::1', '192.0.2.1'], [VIA_4, VIA_LINK]),
    [],
  ],
  [
    'an image without the file of its network',
    (device) => rmSync(device.path('net/file')),
    ['there is no default gateway'],
  ],
  [
    "a clock before the image's time",
    (device) => device.write('now', `${BUILT - DAY - 1}\n`),
    ['the clock is wrong: it shows 2026-11-17'],
  ],
  ["a clock less than a day before the image's time", (device) => device.write('now', `${BUILT - DAY}\n`), []],
  [
    "a clock 21 years after the image's time",
    (device) => device.write('now', `${BUILT + 21 * YEAR}\n`),
    ['the clock is wrong: it shows 2047-11-18'],
  ],
  [
    'a data volume that is not mounted',
    (device) => device.fake('mountpoint', 'exit 1'),
    ['the data volume is not mounted'],
  ],
  [
    'a data volume that failed',
    (device) => device.write('run/data-failed', 'no btrfs there\n'),
    ['data: no btrfs there'],
  ],
  [
    'a container whose secrets cannot be decrypted',
    (device) => device.write('run/secrets-failed', "grafana: cannot decrypt 'grafana-password': no identity matched\n"),
    ["secrets of grafana: cannot decrypt 'grafana-password': no identity matched"],
  ],
  [
    'a data volume that is almost full',
    (device) => device.write('df/data', '9000000 262143\n'),
    ['the data volume has only 255 MiB free'],
  ],
  ['a small data volume with enough free space', (device) => device.write('df/data', '1000000 60000\n'), []],
  ['a /run that is almost full', (device) => device.write('df/run', '16383\n'), ['/run has only 15 MiB free']],
]

describeAgent('health', (shell) => {
  it('health reports one reason for each problem, and none for a healthy host', async () => {
    const host = await AgentHost.under(shell)
    for (const [what, spoil, reasons] of WRONG) {
      for (const path of ['systemd', 'net', 'services', 'run/data-failed', 'run/secrets-failed', 'now'])
        rmSync(host.device.path(path), { recursive: true, force: true })
      host.device.write('now', `${BUILT + 1000}\n`)
      fakePrograms(host.device)
      spoil(host.device)
      const { answer, code } = host.call(['health'])
      const wanted = reasons.length > 0 ? { state: 'unhealthy', reasons } : { state: 'healthy' }
      expect([answer, code], what).toEqual([wanted, 0])
    }
  })

  it('health reports all problems at once', async () => {
    const host = await AgentHost.under(shell)
    host.device.write('net/route', '')
    host.device.write('run/data-failed', 'a "quoted" \\ reason\u001b[2J\n')
    host.device.write('systemd/state', '')
    expect(host.call(['health']).answer).toEqual({
      state: 'unhealthy',
      reasons: [
        "systemd reports the state 'unknown'",
        'data: a "quoted" \\ reason\u001b[2J',
        'there is no default gateway',
      ],
    })
  })

  it('health reports a service that waits for a missing device, and counts it as healthy', async () => {
    const host = await AgentHost.under(shell)
    const [stick, other] = [host.device.path('dev/stick=1'), host.device.path('dev/other')]
    host.device.write('services/zigbee.container', `[Unit]\nX-WaitsFor=${stick}\n`)
    host.device.write('systemd/units', unit('grafana', 'active', '9'))
    const waiting = [`service zigbee waits for its device ${stick}`]
    expect(host.call(['health']).answer).toEqual({ state: 'healthy', waiting })
    host.device.write('run/data-failed', 'blank\n')
    expect(host.call(['health']).answer).toEqual({ state: 'unhealthy', reasons: ['data: blank'], waiting })
    rmSync(host.device.path('run/data-failed'))
    host.device.write('services/radio.container', `[Unit]\nX-WaitsFor=${other}\n`)
    expect(host.call(['health']).answer).toMatchObject({ state: 'healthy', waiting: { length: 2 } })
  })

  it('health counts a service as unhealthy that does not run although its device exists', async () => {
    const host = await AgentHost.under(shell)
    host.device.write('dev/stick', '')
    host.device.write('services/zigbee.container', `[Unit]\nX-WaitsFor=${host.device.path('dev/stick')}\n`)
    host.device.write('systemd/units', `${unit('grafana', 'active', '9')}\n${unit('zigbee', 'inactive', '9')}`)
    const reasons = ['service zigbee is not healthy: inactive']
    expect(host.call(['health']).answer).toEqual({ state: 'unhealthy', reasons })
  })

  it('health checks only the start and the data of a starting host, because more would slow it down', async () => {
    const host = await AgentHost.under(shell)
    host.device.write('systemd/state', 'NFailedUnits=0\nSystemState=starting\n')
    host.device.write('systemd/jobs', '1 grafana.service start running\n')
    host.device.write('net/route', '')
    host.device.write('run/data-failed', 'blank\n')
    expect(host.call(['health']).answer).toEqual({
      state: 'unhealthy',
      reasons: ['still starting: grafana.service', 'data: blank'],
    })
  })
})
