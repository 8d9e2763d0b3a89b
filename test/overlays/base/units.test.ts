import { describe, expect, it } from 'vitest'
import { BOARDS } from '../../../images/board.ts'
import { symlink } from '../../../images/tree.ts'
import { type UnitOptions, unitFiles } from '../../../overlays/base/units.ts'
import { updateFiles } from '../../../overlays/base/update.ts'
import { linesAt, textAt } from '../../helpers/file-tree.ts'

const UNITS = '/etc/systemd/system'
const files = (given: Partial<UnitOptions> = {}) => unitFiles({ data: [], shell: 'none', ...given })
const tree = files()

const links = Object.entries(tree).flatMap(([path, entry]) =>
  entry.kind === 'symlink' ? [{ path, name: path.slice(path.lastIndexOf('/') + 1), target: entry.target }] : [],
)
const masked = links.filter(({ target }) => target === '/dev/null').map(({ name }) => name)
const enabled = links.filter(({ path }) => path.includes('.wants/'))

describe('unitFiles', () => {
  it('enables the units that make the host reachable and run services', () => {
    const names = enabled.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['ssh.service', 'systemd-networkd.service', 'nftables.service']))
    expect(names).toEqual(expect.arrayContaining(['hangar-data.service', 'hangar-console@tty1.service']))
  })

  it('masks no enabled unit', () => {
    expect(enabled.map(({ name }) => name).filter((name) => masked.includes(name))).toEqual([])
  })

  it('contains every hangar unit that it enables', () => {
    const ours = enabled.filter(({ name }) => name.startsWith('hangar-'))
    expect(ours.length).toBeGreaterThan(0)
    expect(ours.filter(({ target }) => !(target in tree))).toEqual([])
  })

  it('masks the login prompts of all consoles', () => {
    expect(masked).toEqual(expect.arrayContaining(['getty@tty1.service', 'serial-getty@.service']))
    expect(masked).toEqual(expect.arrayContaining(['autovt@.service', 'console-getty.service']))
  })

  it('masks units that install packages or pull images', () => {
    expect(masked).toEqual(expect.arrayContaining(['apt-daily.timer', 'apt-daily-upgrade.timer']))
    expect(masked).toEqual(expect.arrayContaining(['podman-auto-update.timer', 'podman.socket']))
  })
})

describe('the watchdog', () => {
  it('the watchdog has an explicit timeout for every state, within the limit of every board', () => {
    const lines = linesAt(tree, '/etc/systemd/system.conf.d/hangar.conf')
    const seconds = Object.fromEntries(
      lines.flatMap((line) => {
        const [, name, value] = /^(\w+)WatchdogSec=(\d+)$/.exec(line) ?? []
        return name === undefined ? [] : [[name, Number(value)] as const]
      }),
    )
    expect(Object.keys(seconds).sort()).toEqual(['KExec', 'Reboot', 'Runtime'])
    const limit = Math.min(...Object.values(BOARDS).map(({ watchdogSeconds }) => watchdogSeconds))
    for (const each of Object.values(seconds)) expect(each).toBeLessThanOrEqual(limit)
  })
})

describe('the data volume', () => {
  const unit = `${UNITS}/hangar-data.service`

  it("hangar-data.service prepares the data volume with each service's volume", () => {
    const lines = linesAt(files({ data: ['mosquitto:120:120', 'prometheus:108:108'] }), unit)
    expect(lines).toContain('ExecStart=/usr/lib/hangar/data mosquitto:120:120 prometheus:108:108')
    expect(linesAt(tree, unit)).toContain('ExecStart=/usr/lib/hangar/data')
  })

  it('mounts the data volume before the units that write to /var', () => {
    const [before = ''] = linesAt(tree, unit).filter((line) => line.startsWith('Before='))
    for (const name of ['systemd-journal-flush.service', 'systemd-tmpfiles-setup.service'])
      expect(before).toContain(name)
  })
})

describe('the units of a trial', () => {
  const update = updateFiles({ name: 'tiny', board: 'raspberry-pi-5', time: 1, number: 1, signingKeys: [] })

  it.each(['hangar-trial', 'hangar-abandon'])('%s runs on trial only', (name) => {
    expect(linesAt(update, `${UNITS}/${name}.service`)).toContain('ConditionPathExists=/run/hangar/trial')
  })

  it('trial units wait only for the base, restart when they are killed, and do not stop at shutdown', () => {
    const trial = linesAt(update, `${UNITS}/hangar-trial.service`)
    const base = ['Wants=sysinit.target', 'After=sysinit.target basic.target']
    expect(trial.filter((line) => /^(After|Requires|Wants|BindsTo|Requisite|Conflicts)=/.test(line))).toEqual(base)
    expect(trial).toEqual(expect.arrayContaining(['DefaultDependencies=no', 'Restart=on-failure']))
  })

  it('trial units end a trial that boots into emergency or rescue mode', () => {
    for (const target of ['emergency', 'rescue'])
      expect(linesAt(update, `${UNITS}/${target}.target.d/hangar.conf`)).toContain(
        'Wants=hangar-abandon.service hangar-start-failed.service',
      )
    expect(linesAt(update, `${UNITS}/hangar-abandon.service`)).toContain('DefaultDependencies=no')
  })

  it('trial units are enabled', () => {
    const link = update[`${UNITS}/multi-user.target.wants/hangar-trial.service`]
    expect(link).toEqual(symlink(`${UNITS}/hangar-trial.service`))
  })
})

describe('the units of a start of the committed slot', () => {
  const update = updateFiles({ name: 'tiny', board: 'raspberry-pi-5', time: 1, number: 1, signingKeys: [] })

  it.each(['hangar-watch', 'hangar-start-failed'])('%s does not run on trial', (name) => {
    expect(linesAt(update, `${UNITS}/${name}.service`)).toContain('ConditionPathExists=!/run/hangar/trial')
  })

  it('the watch waits only for the base, and a shutdown stops it, also after the host was healthy', () => {
    const watch = linesAt(update, `${UNITS}/hangar-watch.service`)
    const base = ['Wants=sysinit.target', 'After=sysinit.target basic.target', 'Conflicts=shutdown.target']
    expect(watch.filter((line) => /^(After|Requires|Wants|BindsTo|Requisite|Conflicts)=/.test(line))).toEqual(base)
    expect(watch).toEqual(expect.arrayContaining(['RemainAfterExit=yes', 'ExecStop=/usr/lib/hangar/agent watch-end']))
    const link = update[`${UNITS}/multi-user.target.wants/hangar-watch.service`]
    expect(link).toEqual(symlink(`${UNITS}/hangar-watch.service`))
  })

  it('emergency and rescue mode count as a failed start', () => {
    for (const target of ['emergency', 'rescue'])
      expect(linesAt(update, `${UNITS}/${target}.target.d/hangar.conf`).join()).toContain('hangar-start-failed.service')
  })
})

describe('the console', () => {
  const unit = `${UNITS}/hangar-console@.service`
  const command = (shell: 'none' | 'root') =>
    linesAt(files({ shell }), unit).filter((line) => line.startsWith('ExecStart='))

  it('the console has a shell only if the host file allows it', () => {
    expect(command('none')).toEqual(['ExecStart=/usr/lib/hangar/console none'])
    expect(command('root')).toEqual(['ExecStart=/usr/lib/hangar/console root'])
  })

  it('the console always restarts', () => {
    expect(linesAt(tree, unit)).toContain('Restart=always')
  })
})

describe('metrics of the host', () => {
  const exporter = textAt(tree, '/etc/default/prometheus-node-exporter')

  it('metrics of the host come only from the listed collectors', () => {
    expect(exporter).toMatch(/^ARGS="--collector\.disable-defaults /)
  })

  it('metrics include the services of the host, and no units with random names', () => {
    const pattern = (kind: string) => new RegExp(`^(?:${new RegExp(`unit-${kind}=([^ "]+)`).exec(exporter)?.[1]})$`)
    const isNamed = (unit: string) => pattern('include').test(unit) && !pattern('exclude').test(unit)
    const units = ['mosquitto.service', 'ssh.service', 'hangar-data.service', 'hangar-console@tty1.service']
    expect(units.filter(isNamed)).toEqual(units)
    const others = [`${'0a'.repeat(32)}-startup-31dd073851752232.service`, 'modprobe@drm.service', 'dev-vda7.device']
    expect([...others, 'systemd-udevd.service'].filter(isNamed)).toEqual([])
  })
})
