import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { BUILT, describeAgent, PretendHost } from '../../../helpers/pretend-agent.ts'
import type { PretendDevice } from '../../../helpers/pretend-device.ts'
import { pretendPrograms } from '../../../helpers/pretend-programs.ts'

const unit = (name: string, state: string, limit: string) =>
  `MemoryMax=${limit}\nId=${name}.service\nActiveState=${state}\n`
const [DAY, YEAR] = [86_400, 31_557_600]

/** What is wrong, and what is said of it. */
const WRONG: readonly (readonly [string, (device: PretendDevice) => void, readonly string[]])[] = [
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
    'a system in rescue',
    (device) => device.write('systemd/state', 'SystemState=maintenance\nNFailedUnits=0\n'),
    ['the system is maintenance'],
  ],
  ['a systemd that does not answer', (device) => device.write('systemd/state', ''), ['the system is not to be asked']],
  [
    'a service that is not healthy yet, beside one that is',
    (device) => {
      device.write('services/nut.container', '')
      device.write('systemd/units', `${unit('grafana', 'active', '9')}\n${unit('nut', 'activating', '9')}`)
    },
    ['service nut is not healthy: activating'],
  ],
  [
    'a service without a limit',
    (device) => device.write('systemd/units', unit('grafana', 'active', 'infinity')),
    ['service grafana has no limit of memory in force'],
  ],
  [
    'services that systemd knows nothing of',
    (device) => device.write('systemd/units', unit('other', 'active', '9')),
    ['service grafana is not healthy: unknown', 'service grafana has no limit of memory in force'],
  ],
  [
    'a kernel without memory limits',
    (device) => device.write('sys/fs/cgroup/cgroup.controllers', 'cpu hugememory pids\n'),
    ['the kernel has no memory limits in force'],
  ],
  [
    'little memory',
    (device) => device.write('proc/meminfo', 'MemTotal: 8000000 kB\nMemAvailable: 399999 kB\n'),
    ['only 390 MiB of memory are free'],
  ],
  ['no gateway', (device) => device.write('net/route', ''), ['there is no default gateway']],
  [
    'a gateway that is silent',
    (device) => {
      device.pretend('ping', 'exit 1')
      device.write('net/neigh', '192.0.2.1 dev end0 FAILED\n')
    },
    ['the default gateway 192.0.2.1 does not answer'],
  ],
  [
    'a gateway that answers no pings, but is there',
    (device) => {
      device.pretend('ping', 'exit 1')
      device.write('net/neigh', '192.0.2.1 dev end0 lladdr 00:00:5e:00:53:01 REACHABLE\n')
    },
    [],
  ],
  [
    'a clock of before the image',
    (device) => device.write('now', `${BUILT - DAY - 1}\n`),
    ['the clock says 2026-11-17'],
  ],
  ['a clock of just before the image', (device) => device.write('now', `${BUILT - DAY}\n`), []],
  [
    'a clock of long after it',
    (device) => device.write('now', `${BUILT + 21 * YEAR}\n`),
    ['the clock says 2047-11-18'],
  ],
  ['data that are not mounted', (device) => device.pretend('mountpoint', 'exit 1'), ['data is not mounted']],
  ['data that failed', (device) => device.write('run/data-failed', 'no btrfs there\n'), ['data: no btrfs there']],
  [
    'data that are almost full',
    (device) => device.write('df/data', '9000000 262143\n'),
    ['data has only 255 MiB left'],
  ],
  ['small data of which much is left', (device) => device.write('df/data', '1000000 60000\n'), []],
  ['a /run that is almost full', (device) => device.write('df/run', '16383\n'), ['/run has only 15 MiB left']],
]

describeAgent('health', (shell) => {
  it('has a reason for everything that is wrong, and none where nothing is', async () => {
    const host = await PretendHost.under(shell)
    for (const [what, spoil, reasons] of WRONG) {
      for (const path of ['systemd', 'net', 'services', 'run/data-failed', 'now'])
        rmSync(host.device.path(path), { recursive: true, force: true })
      host.device.write('now', `${BUILT + 1000}\n`)
      // One line of `df` is what is asked of /run: the size is not.
      pretendPrograms(host.device)
      spoil(host.device)
      const { answer, code } = host.call(['health'])
      const wanted = reasons.length > 0 ? { state: 'unhealthy', reasons } : { state: 'healthy' }
      expect([answer, code], what).toEqual([wanted, 0])
    }
  })

  it('says all of it at once', async () => {
    const host = await PretendHost.under(shell)
    host.device.write('net/route', '')
    host.device.write('run/data-failed', 'a "quoted" \\ reason\u001b[2J\n')
    host.device.write('systemd/state', '')
    expect(host.call(['health']).answer).toEqual({
      state: 'unhealthy',
      reasons: ['the system is not to be asked', 'data: a "quoted" \\ reason\u001b[2J', 'there is no default gateway'],
    })
  })

  it('of a host that still starts is asked of what starts and of the data alone: more would keep it from starting', async () => {
    const host = await PretendHost.under(shell)
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
