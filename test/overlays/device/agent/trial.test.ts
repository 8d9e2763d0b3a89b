import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { agentImage } from '../../../helpers/agent-image.ts'
import { arm, OWNER } from '../../../helpers/agent-update.ts'
import { describeAgent, type HostOptions, PretendHost, RUNNING_ROOT } from '../../../helpers/pretend-agent.ts'

const IMAGE = agentImage('new')
const WRITTEN = { phase: 'written', kind: 'update', id: '-', slot: 'b', root: IMAGE.root, serial: '1795000000 1' }
const ON_TRIAL = { ...WRITTEN, phase: 'trial', id: 'one', commit: 'controller', data: 'snapshot', seconds: '300' }
const FLAG = 'sys/module/hangar_tryboot'

describeAgent('arming', (shell) => {
  const written = async (options: HostOptions = {}) => {
    const host = await PretendHost.under(shell, { record: WRITTEN, ...options })
    host.hold('b', IMAGE)
    return host
  }

  it('remembers what is about to be tried, and sets the flag', async () => {
    const host = await written()
    expect(arm(host, IMAGE.root).answer).toEqual({ ok: true, id: 'one' })
    const armed = { ...WRITTEN, phase: 'armed', id: 'one', data: 'snapshot', commit: 'controller', seconds: '300' }
    expect([host.record, host.armed]).toEqual([{ ...armed, reason: '', committed: 'a' }, '1'])
    // Once more, where the answer was lost.
    expect(arm(host, IMAGE.root).answer).toEqual({ ok: true, id: 'one' })
  })

  it('remembers first: a flag is never set of which the host knows nothing', async () => {
    const cut = async (careless?: (host: PretendHost) => unknown) => {
      const host = await written()
      careless?.(host)
      host.device.write('power', '0')
      return [arm(host, IMAGE.root).error, host.armed, host.record?.phase]
    }
    expect(await cut()).toEqual(['disk', '0', 'written'])
    const swapped = (host: PretendHost) =>
      host.careless('trial', '  record_set phase armed', '  tryboot_set 1; record_set phase armed')
    expect(await cut(swapped)).toEqual(['disk', '1', 'written'])
  })

  it.each([
    ['another root', { ...WRITTEN, root: 'ab'.repeat(32) }],
    ['another slot', { ...WRITTEN, slot: 'a' }],
    ['a write that has not ended', { ...WRITTEN, phase: 'writing' }],
    ['what somebody goes back to', { ...WRITTEN, kind: 'revert', phase: 'armed' }],
    ['nothing', {}],
  ])('refuses what was not written: %s', async (_what, record) => {
    const host = await written({ record })
    expect([arm(host, IMAGE.root).error, host.armed]).toEqual(['state', '0'])
  })

  it('refuses a slot that is not whole, unless it was read back in this start', async () => {
    const host = await written()
    host.poke('slot-b', 4096, Buffer.from('x'))
    expect([arm(host, IMAGE.root).error, host.armed]).toEqual(['incomplete', '0'])
    host.careless('trial', '{ verify_slot "$OTHER" "$OWN/other" && [ "$VERIFIED_ROOT" = "$3" ]; }', 'true')
    expect([arm(host, IMAGE.root).error, host.armed]).toEqual([undefined, '1'])
  })

  it('refuses while a trial is not decided, and words that it does not know', async () => {
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
      ['one', IMAGE.root, ...good.with(3, 'nobody')],
      ['one', IMAGE.root, ...good.with(5, '0900')],
      ['one', IMAGE.root, ...good.with(5, '3x')],
    ])
      expect(trial(...words), words.join(' ')).toBe('usage')
  })

  it('says where the firmware takes no flag, and leaves none behind', async () => {
    const host = await written()
    rmSync(host.device.path(FLAG), { recursive: true })
    expect(arm(host, IMAGE.root).error).toBe('firmware')
    expect(host.record).toMatchObject({ phase: 'reverted', reason: 'the firmware does not take the trial flag' })
    // One that takes it and does not say so.
    host.remember(WRITTEN)
    host.device.write(`${FLAG}/parameters/armed`, '0\n')
    host.careless('tryboot', /^ {4}module\) cat .*$/m, '    module) echo ? ;;')
    expect([arm(host, IMAGE.root).error, host.armed]).toEqual(['firmware', '0'])
  })
})

describeAgent('a trial', (shell) => {
  const under = async (options: HostOptions = {}, facts = 'id one\ncommit controller\nseconds 106\n') => {
    const host = await PretendHost.under(shell, {
      slot: 'b',
      tryboot: 1,
      root: IMAGE.root,
      record: ON_TRIAL,
      ...options,
    })
    host.device.write('run/trial', facts)
    return host
  }
  const commit = (host: PretendHost, id = 'one', root = IMAGE.root) => host.call(['commit', id, root])

  it('is committed by who names it and what runs, once it is healthy', async () => {
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
    expect(commit(host)).toMatchObject({ error: 'unhealthy', message: 'not healthy: data: no such disk;' })
    expect(host.selected).toBe('a')
    rmSync(host.device.path('run/data-failed'))
    expect(commit(host).answer).toEqual({ ok: true, slot: 'b' })
    expect([host.selected, host.record?.phase, host.record?.committed]).toEqual(['b', 'committed', 'b'])
    expect(host.call(['status']).answer.state).toBe('committed')
    // Once more, where the answer was lost.
    expect(commit(host).answer).toEqual({ ok: true, slot: 'b' })
  })

  it('is none where this start is none', async () => {
    const host = await under({ tryboot: 0 })
    rmSync(host.device.path('run/trial'))
    expect(commit(host).error).toBe('state')
  })

  it('is meant to be committed before it is: the record first, then the sector, then what follows', async () => {
    const cutAt = async (power: number, careless?: (host: PretendHost) => unknown) => {
      const host = await under()
      careless?.(host)
      host.device.write('power', `${power}`)
      commit(host)
      return [host.selected, host.record?.phase, host.record?.committed]
    }
    expect(await cutAt(0)).toEqual(['a', 'trial', undefined])
    expect(await cutAt(1)).toEqual(['a', 'committing', 'b'])
    expect(await cutAt(2)).toEqual(['b', 'committing', 'b'])
    const swapped = (host: PretendHost) =>
      host.careless('trial', '  record_set phase committing', '  selector_write "$SLOT"; record_set phase committing')
    expect(await cutAt(1, swapped)).toEqual(['b', 'trial', undefined])
  })

  it('is committed only once its data are on the disk', async () => {
    const host = await under()
    host.device.pretend('sync', 'exit 1')
    expect(commit(host).error).toBe('disk')
    expect([host.selected, host.record?.phase]).toEqual(['a', 'trial'])
    expect(commit(host).calls).toContain(`sync -f ${host.device.path('data')}`)
    host.careless('trial', '  sync -f "$DATA_DIR" || return 1', '')
    commit(host)
    expect(host.selected).toBe('b')
  })

  it('commits itself where nobody drives it', async () => {
    const host = await under({}, 'id one\ncommit local\nseconds 106\n')
    const { calls } = host.call(['trial'])
    expect([host.selected, calls.filter((call) => /reboot|sleep/.test(call))]).toEqual(['b', []])
  })

  it('says so where it cannot commit itself', async () => {
    const host = await under({}, 'id one\ncommit local\nseconds 106\n')
    host.careless('trial', '  sync -f "$DATA_DIR" || return 1', '  return 1')
    host.call(['trial'])
    expect(host.record?.reason).toMatch(/^not so within 106 seconds: healthy, and its commit cannot be written/)
    expect(host.selected).toBe('a')
  })

  it('ends at its deadline, and says what it waited for', async () => {
    const host = await under()
    host.device.write('net/route', '')
    const { calls, said } = host.call(['trial'])
    expect(calls.filter((call) => /reboot|sleep/.test(call))).toEqual([
      ...['sleep 2', 'sleep 2', 'sleep 2'],
      ...['systemctl reboot --no-block', 'sleep 30', 'systemctl reboot --force --force'],
    ])
    expect(host.record?.reason).toBe('not so within 106 seconds: there is no default gateway;')
    expect([host.selected, said]).toEqual(['a', expect.stringContaining('the trial ends')])
  })

  it('leaves a host that is healthy to its controller, up to the deadline', async () => {
    const host = await under()
    const { calls } = host.call(['trial'])
    expect(calls.filter((call) => /--wait|sleep/.test(call))).toEqual(['sleep 10', 'sleep 30'])
    expect(host.record?.reason).toMatch(/^not so within 106 seconds: healthy, and waits for the controller/)
  })

  it('of a host that starts asks seldom, and looks at once when it has started', async () => {
    const host = await under({}, 'id one\ncommit local\nseconds 106\n')
    host.device.write('systemd/state', 'SystemState=starting\nNFailedUnits=0\n')
    host.device.write('systemd/started', 'SystemState=running\nNFailedUnits=0\n')
    const waits = () => host.call(['trial']).calls.filter((call) => /--wait|sleep/.test(call))
    expect(waits()).toEqual(['systemctl is-system-running --wait'])
    expect(host.selected).toBe('b')
  })

  it('of a host that never gets started ends at its deadline all the same', async () => {
    const host = await under({}, 'id one\ncommit local\nseconds 145\n')
    host.device.write('systemd/state', 'SystemState=starting\nNFailedUnits=0\n')
    host.device.write('systemd/jobs', '1 grafana.service start running\n')
    const { calls } = host.call(['trial'])
    const wait = 'systemctl is-system-running --wait'
    expect(calls.filter((call) => /--wait|sleep/.test(call))).toEqual([wait, 'sleep 2', wait, 'sleep 2', 'sleep 30'])
    // Never beyond the deadline: 30 seconds, then the 13 that are left.
    expect(host.device.read('proc/uptime')).toMatch(/^177[.]/)
    expect(host.record?.reason).toBe('not so within 145 seconds: still starting: grafana.service;')
    expect(host.selected).toBe('a')
  })

  it('that is healthy waits for its controller, and does not commit itself', async () => {
    const host = await under()
    host.call(['trial'])
    expect(host.record?.reason).toContain('waits for the controller to reach this host and commit')
    expect(host.selected).toBe('a')
  })

  it('that was abandoned keeps the reason, whatever it waits for while the host goes down', async () => {
    const said = async (careless?: (host: PretendHost) => unknown) => {
      const host = await under()
      careless?.(host)
      host.device.write('net/route', '')
      host.call(['abandon', 'it came up in emergency mode'])
      // From here on as where the machine takes its time.
      host.device.write('proc/uptime', '100.25 50.00\n')
      host.call(['trial'])
      return host.record?.reason
    }
    expect(await said()).toBe('it came up in emergency mode')
    const forgetful = (host: PretendHost) => host.careless('trial', '[ -e "$RUN/abandoned" ] || {', '{')
    expect(await said(forgetful)).toMatch(/^not so within/)
    const waiting = (host: PretendHost) =>
      host
        .careless('trial', '[ ! -e "$RUN/abandoned" ] &&', '')
        .careless('trial', /record_reasons\)"$/m, 'record_reasons)"; return')
    expect(await said(waiting)).toMatch(/^last seen: there is no default gateway/)
  })

  it('is abandoned at once where somebody asks for it, but never once it is committed', async () => {
    const host = await under()
    expect(host.call(['abandon', 'it came up in emergency mode']).calls).toContain('systemctl reboot --no-block')
    expect(host.record?.reason).toBe('it came up in emergency mode')
    host.device.write('run/committed', '')
    expect(host.call(['abandon', 'too late']).calls).toEqual([])
    host.start({ slot: 'a' })
    expect(host.call(['abandon', 'no trial']).calls).toEqual([])
  })

  it('goes down after its answer', async () => {
    const { answer, calls } = (await under()).call(['reboot'])
    expect([answer, calls]).toEqual([{ ok: true }, ['systemctl reboot --no-block']])
  })
})
