import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { AgentHost, describeAgent, type HostOptions, RUNNING_ROOT } from '../../../helpers/agent-host.ts'
import { agentImage } from '../../../helpers/agent-image.ts'
import { arm, OWNER } from '../../../helpers/agent-update.ts'

const IMAGE = agentImage('new')
const WRITTEN = { phase: 'written', kind: 'update', id: '-', slot: 'b', root: IMAGE.root, serial: '1795000000 1' }
const ON_TRIAL = { ...WRITTEN, phase: 'trial', id: 'one', commit: 'controller', data: 'snapshot', seconds: '300' }
const FLAG = 'sys/module/hangar_tryboot'

describeAgent('agent arm', (shell) => {
  const written = async (options: HostOptions = {}) => {
    const host = await AgentHost.under(shell, { record: WRITTEN, ...options })
    host.hold('b', IMAGE)
    return host
  }

  it('agent arm records the trial and sets the flag', async () => {
    const host = await written()
    expect(arm(host, IMAGE.root).answer).toEqual({ ok: true, id: 'one' })
    const armed = { ...WRITTEN, phase: 'armed', id: 'one', data: 'snapshot', commit: 'controller', seconds: '300' }
    expect([host.record, host.armed]).toEqual([{ ...armed, reason: '', committed: 'a' }, '1'])
    // A repeated call must succeed, because the first answer may have been lost.
    expect(arm(host, IMAGE.root).answer).toEqual({ ok: true, id: 'one' })
  })

  it('agent arm writes the record before the flag', async () => {
    const cut = async (weakened?: (host: AgentHost) => unknown) => {
      const host = await written()
      weakened?.(host)
      host.device.write('power', '0')
      return [arm(host, IMAGE.root).error, host.armed, host.record?.phase]
    }
    expect(await cut()).toEqual(['disk', '0', 'written'])
    const swapped = (host: AgentHost) =>
      host.weaken('trial', '  record_set phase armed', '  tryboot_set 1; record_set phase armed')
    expect(await cut(swapped)).toEqual(['disk', '1', 'written'])
  })

  it.each([
    ['another root', { ...WRITTEN, root: 'ab'.repeat(32) }],
    ['another slot', { ...WRITTEN, slot: 'a' }],
    ['a write that has not ended', { ...WRITTEN, phase: 'writing' }],
    ['a revert', { ...WRITTEN, kind: 'revert', phase: 'armed' }],
    ['no record', {}],
  ])('agent arm refuses a slot that was not written last: %s', async (_what, record) => {
    const host = await written({ record })
    expect([arm(host, IMAGE.root).error, host.armed]).toEqual(['state', '0'])
  })

  it('agent arm refuses an incomplete slot, unless it was verified since the boot', async () => {
    const host = await written()
    host.poke('slot-b', 4096, Buffer.from('x'))
    expect([arm(host, IMAGE.root).error, host.armed]).toEqual(['incomplete', '0'])
    host.weaken('trial', '{ verify_slot "$OTHER" "$OWN/other" && [ "$VERIFIED_ROOT" = "$3" ]; }', 'true')
    expect([arm(host, IMAGE.root).error, host.armed]).toEqual([undefined, '1'])
  })

  it('agent arm refuses during a trial, and refuses unknown arguments', async () => {
    const host = await written({ tryboot: 1, slot: 'a' })
    expect(arm(host, IMAGE.root).error).toBe('busy')
    const trial = (...words: string[]) => host.call(['arm', OWNER, ...words]).error
    const good = ['--data', 'snapshot', '--commit', 'local', '--seconds', '300']
    for (const words of [
      [],
      ['one', IMAGE.root],
      ['-n', IMAGE.root, ...good],
      ['o ne', IMAGE.root, ...good],
      ['one', 'x', ...good],
      ['one', IMAGE.root, ...good.with(1, 'all')],
      ['one', IMAGE.root, ...good.with(3, 'other')],
      ['one', IMAGE.root, ...good.with(5, '0900')],
      ['one', IMAGE.root, ...good.with(5, '3x')],
    ])
      expect(trial(...words), words.join(' ')).toBe('usage')
  })

  it('agent arm fails if the firmware does not confirm the flag, and clears it', async () => {
    const host = await written()
    rmSync(host.device.path(FLAG), { recursive: true })
    expect(arm(host, IMAGE.root).error).toBe('firmware')
    expect(host.record).toMatchObject({ phase: 'reverted', reason: 'the firmware does not confirm the trial flag' })
    // This firmware sets the flag but does not confirm it.
    host.remember(WRITTEN)
    host.device.write(`${FLAG}/parameters/armed`, '0\n')
    host.weaken('tryboot', /^ {4}module\) cat .*$/m, '    module) echo ? ;;')
    expect([arm(host, IMAGE.root).error, host.armed]).toEqual(['firmware', '0'])
  })
})

describeAgent('a trial', (shell) => {
  const under = async (options: HostOptions = {}, facts = 'id one\ncommit controller\nseconds 106\n') => {
    const host = await AgentHost.under(shell, {
      slot: 'b',
      tryboot: 1,
      root: IMAGE.root,
      record: ON_TRIAL,
      ...options,
    })
    host.device.write('run/trial', facts)
    return host
  }
  const commit = (host: AgentHost, id = 'one', root = IMAGE.root) => host.call(['commit', id, root])

  it('a call with its id and root hash commits a trial once it is healthy', async () => {
    const host = await under()
    for (const [id, root] of [
      ['two', IMAGE.root],
      ['one', RUNNING_ROOT],
      ['one', ''],
    ] as const)
      expect(commit(host, id, root).error).toBe('state')
    expect(host.call(['commit']).error).toBe('usage')
    host.device.write('data-fails', '')
    host.device.write('run/data-failed', 'no such disk\n')
    expect(commit(host)).toMatchObject({
      error: 'unhealthy',
      message: 'cannot commit: not healthy: data: no such disk;',
    })
    expect(host.selected).toBe('a')
    rmSync(host.device.path('run/data-failed'))
    expect(commit(host).answer).toEqual({ ok: true, slot: 'b' })
    expect([host.selected, host.record?.phase, host.record?.committed]).toEqual(['b', 'committed', 'b'])
    expect(host.call(['status']).answer.state).toBe('committed')
    // A repeated call must succeed, because the first answer may have been lost.
    expect(commit(host).answer).toEqual({ ok: true, slot: 'b' })
  })

  it('the agent commits no trial if this boot is not a trial', async () => {
    const host = await under({ tryboot: 0 })
    rmSync(host.device.path('run/trial'))
    expect(commit(host).error).toBe('state')
  })

  it('a commit writes the record first, then the sector, then the trusted keys', async () => {
    const cutAt = async (power: number, weakened?: (host: AgentHost) => unknown) => {
      const host = await under()
      weakened?.(host)
      host.device.write('power', `${power}`)
      commit(host)
      return [host.selected, host.record?.phase, host.record?.committed]
    }
    expect(await cutAt(0)).toEqual(['a', 'trial', undefined])
    expect(await cutAt(1)).toEqual(['a', 'committing', 'b'])
    expect(await cutAt(2)).toEqual(['b', 'committing', 'b'])
    const swapped = (host: AgentHost) =>
      host.weaken('trial', '  record_set phase committing', '  selector_write "$SLOT"; record_set phase committing')
    expect(await cutAt(1, swapped)).toEqual(['b', 'trial', undefined])
  })

  it('a commit starts only after the data of the trial are on the disk', async () => {
    const host = await under()
    host.device.fake('sync', 'exit 1')
    expect(commit(host).error).toBe('disk')
    expect([host.selected, host.record?.phase]).toEqual(['a', 'trial'])
    expect(commit(host).calls).toContain(`sync -f ${host.device.path('data')}`)
    host.weaken('trial', '  sync -f "$DATA_DIR" || return 1', '')
    commit(host)
    expect(host.selected).toBe('b')
  })

  it('a trial without a controller commits itself', async () => {
    const host = await under({}, 'id one\ncommit local\nseconds 106\n')
    const { calls } = host.call(['trial'])
    expect([host.selected, calls.filter((call) => /reboot|sleep/.test(call))]).toEqual(['b', []])
  })

  it('a trial records that it cannot commit itself', async () => {
    const host = await under({}, 'id one\ncommit local\nseconds 106\n')
    host.weaken('trial', '  sync -f "$DATA_DIR" || return 1', '  return 1')
    host.call(['trial'])
    expect(host.record?.reason).toMatch(/^not committed within 106 seconds: healthy, but the commit cannot be written/)
    expect(host.selected).toBe('a')
  })

  it('a trial ends at its deadline and records what it waited for', async () => {
    const host = await under()
    host.device.write('net/route', '')
    const { calls, said } = host.call(['trial'])
    expect(calls.filter((call) => /reboot|sleep/.test(call))).toEqual([
      ...['sleep 2', 'sleep 2', 'sleep 2'],
      ...['systemctl reboot --no-block', 'sleep 30', 'systemctl reboot --force --force'],
    ])
    expect(host.record?.reason).toBe('not committed within 106 seconds: there is no default gateway;')
    expect([host.selected, said]).toEqual([
      'a',
      expect.stringContaining('the trial of slot b ends, rebooting into slot a'),
    ])
  })

  it('a trial on a healthy host waits for its controller until the deadline', async () => {
    const host = await under()
    const { calls } = host.call(['trial'])
    expect(calls.filter((call) => /--wait|sleep/.test(call))).toEqual(['sleep 10', 'sleep 30'])
    expect(host.record?.reason).toMatch(/^not committed within 106 seconds: healthy, and waits for the controller/)
  })

  it('a trial checks a starting host rarely, and immediately after it has started', async () => {
    const host = await under({}, 'id one\ncommit local\nseconds 106\n')
    host.device.write('systemd/state', 'SystemState=starting\nNFailedUnits=0\n')
    host.device.write('systemd/started', 'SystemState=running\nNFailedUnits=0\n')
    const waits = () => host.call(['trial']).calls.filter((call) => /--wait|sleep/.test(call))
    expect(waits()).toEqual(['systemctl is-system-running --wait'])
    expect(host.selected).toBe('b')
  })

  it('a trial ends at its deadline if the host never finishes starting', async () => {
    const host = await under({}, 'id one\ncommit local\nseconds 145\n')
    host.device.write('systemd/state', 'SystemState=starting\nNFailedUnits=0\n')
    host.device.write('systemd/jobs', '1 grafana.service start running\n')
    const { calls } = host.call(['trial'])
    const wait = 'systemctl is-system-running --wait'
    expect(calls.filter((call) => /--wait|sleep/.test(call))).toEqual([wait, 'sleep 2', wait, 'sleep 2', 'sleep 30'])
    // The agent waits 30 seconds, then only the 13 seconds that are left until the deadline.
    expect(host.device.read('proc/uptime')).toMatch(/^177[.]/)
    expect(host.record?.reason).toBe('not committed within 145 seconds: still starting: grafana.service;')
    expect(host.selected).toBe('a')
  })

  it('a trial does not commit itself if a controller drives it', async () => {
    const host = await under()
    host.call(['trial'])
    expect(host.record?.reason).toContain('waits for the controller to reach this host and commit')
    expect(host.selected).toBe('a')
  })

  it('a trial keeps the reason of `agent abandon` while the host shuts down', async () => {
    const said = async (weakened?: (host: AgentHost) => unknown) => {
      const host = await under()
      weakened?.(host)
      host.device.write('net/route', '')
      host.call(['abandon', 'it came up in emergency mode'])
      // The fake host continues to run, as on a machine that shuts down slowly.
      host.device.write('proc/uptime', '100.25 50.00\n')
      host.call(['trial'])
      return host.record?.reason
    }
    expect(await said()).toBe('it came up in emergency mode')
    const forgetful = (host: AgentHost) => host.weaken('trial', '[ -e "$RUN/abandoned" ] || {', '{')
    expect(await said(forgetful)).toMatch(/^not committed within/)
    const waiting = (host: AgentHost) =>
      host
        .weaken('trial', '[ ! -e "$RUN/abandoned" ] &&', '')
        .weaken('trial', /last_reasons\)"$/m, 'last_reasons)"; return')
    expect(await said(waiting)).toMatch(/^last seen: there is no default gateway/)
  })

  it('`agent abandon` ends a trial, but not after its commit', async () => {
    const host = await under()
    expect(host.call(['abandon', 'it came up in emergency mode']).calls).toContain('systemctl reboot --no-block')
    expect(host.record?.reason).toBe('it came up in emergency mode')
    host.device.write('run/committed', '')
    expect(host.call(['abandon', 'too late']).calls).toEqual([])
    host.start({ slot: 'a' })
    expect(host.call(['abandon', 'no trial']).calls).toEqual([])
  })

  it('agent reboot answers before the reboot', async () => {
    const { answer, calls } = (await under()).call(['reboot'])
    expect([answer, calls]).toEqual([{ ok: true }, ['systemctl reboot --no-block']])
  })
})
