import { expect, it } from 'vitest'
import { AgentHost, describeAgent, type HostOptions, RUNNING_ROOT } from '../../../helpers/agent-host.ts'
import { agentImage } from '../../../helpers/agent-image.ts'

const OTHER = agentImage('other')
const COMMITTED = {
  ...{ kind: 'update', id: 'one', slot: 'a', phase: 'committed', committed: 'a' },
  ...{ previously_committed: `${RUNNING_ROOT} ${OTHER.root}`, reason: '' },
}
const LATE = '700.25 50.00\n'

describeAgent('the watch over a start', (shell) => {
  const under = async (more: Record<string, string>, options: HostOptions = {}) => {
    const host = await AgentHost.under(shell, { record: { ...COMMITTED, ...more }, ...options })
    host.device.write('textfile/.keep', '')
    return host
  }
  const writes = (calls: readonly string[]) => calls.filter((call) => /^dd .*of=.*identity/.test(call)).length

  it('ends the start with one write when the host is healthy', async () => {
    const host = await under({ starts: 'a 2 1 1 4', starts_reason: 'x', starts_stays: 'slot b fails too' })
    const { calls } = host.call(['watch'])
    expect([writes(calls), host.record?.starts]).toEqual([1, 'a 0 0 0 ended'])
    expect([host.record?.starts_reason, host.record?.starts_stays]).toEqual(['', ''])
    // Nothing is left to write.
    expect(writes(host.call(['watch']).calls)).toBe(0)
  })

  it('keeps the reason why the other slot was left', async () => {
    const host = await under({ starts: 'a 1 0 0 4', starts_reason: 'slot b failed', starts_left: 'b' })
    host.call(['watch'])
    expect(host.record).toMatchObject({ starts: 'a 0 0 0 ended', starts_reason: 'slot b failed', starts_left: 'b' })
  })

  it('notes that the SSH server runs, only after a failed start', async () => {
    const noted = async (starts: string) => {
      const host = await under({ starts })
      host.shell('record_load; starts_load "$SLOT"; note_stage')
      return host.record?.starts
    }
    expect(await noted('a 0 0 0 4')).toBe('a 0 0 0 4')
    expect(await noted('a 1 0 0 4')).toBe('a 1 1 0 4')
  })

  it('a start without an SSH server after ten minutes failed, and an unhealthy host with one did not', async () => {
    const judged = async (ssh: boolean, uptime = LATE) => {
      const host = await under({ starts: 'a 1 0 0 4' })
      host.device.write('proc/uptime', uptime)
      if (!ssh) host.device.write('systemd/no-ssh', '')
      host.shell('starts_load "$SLOT"; judge_late_start; judge_late_start')
      return host.record?.starts
    }
    expect([await judged(false), await judged(true)]).toEqual(['a 2 0 0 ended', 'a 1 0 0 4'])
  })

  it('a shutdown ends the start, and nothing else that stops the unit does', async () => {
    const host = await under({ starts: 'a 1 0 0 4' })
    host.call(['watch-end'])
    expect(host.record?.starts).toBe('a 1 0 0 4')
    host.device.write('systemd/running', 'stopping\n')
    const { calls } = host.call(['watch-end'])
    expect([writes(calls), host.record?.starts]).toEqual([1, 'a 1 0 0 ended'])
    expect(writes(host.call(['watch-end']).calls)).toBe(0)
  })

  it('emergency mode counts as a failed start, starts the SSH server, and reboots only if the other slot can follow', async () => {
    const failed = async (more: Record<string, string> = {}) => {
      const host = await under({ starts: 'a 0 0 0 4', ...more })
      host.hold('b', OTHER)
      const { calls } = host.call(['watch-failed', 'it came up in emergency mode'])
      const orders = calls.filter((call) => /^(sleep|systemctl reboot|systemctl .*start)/.test(call))
      return [host.record?.starts, host.record?.starts_reason, ...orders]
    }
    const ssh = ['nftables', 'systemd-networkd', 'ssh'].map(
      (name) => `systemctl --job-mode=ignore-dependencies start ${name}.service`,
    )
    const REASON = 'it came up in emergency mode'
    expect(await failed()).toEqual(['a 1 0 0 ended', REASON, ...ssh, 'sleep 300', 'systemctl reboot --no-block'])
    for (const more of [{ starts_left: 'b' }, { starts_stays: 'x' }, { previously_committed: RUNNING_ROOT }] as const)
      expect(await failed(more)).toEqual(['a 1 0 0 ended', REASON, ...ssh])
    // The owner brought a healthy host into rescue mode.
    expect(await failed({ starts: 'a 0 0 0 ended' })).toEqual(['a 0 0 0 ended', undefined])
  })
})

describeAgent('a rescue', (shell) => {
  const reason = 'slot a failed at 3 starts in a row: a panic'
  const onTrial = async (starts: string) => {
    const trial = {
      kind: 'rescue',
      id: 'rescue',
      slot: 'b',
      phase: 'trial',
      root: OTHER.root,
      starts,
      starts_reason: reason,
    }
    const record = { ...COMMITTED, ...trial, previously_committed: `${RUNNING_ROOT} ${OTHER.root}` }
    const host = await AgentHost.under(shell, { slot: 'b', tryboot: 1, root: OTHER.root, record })
    host.device.write('run/trial', 'id rescue\ndata snapshot\ncommit local\nseconds 106\n')
    host.device.write('textfile/.keep', '')
    return host
  }
  const starts = (host: AgentHost) => host.call(['status']).answer.starts

  it('a rescue that is healthy takes the place of the failing slot, and the status reports this', async () => {
    const host = await onTrial('a 3 0 1 7')
    host.call(['trial'])
    expect([host.selected, host.record?.starts, host.record?.starts_left]).toEqual(['b', 'b 0 0 0 ended', 'a'])
    expect(starts(host)).toEqual({ state: 'left', failed: 0, slot: 'a', reason })
    expect(host.device.read('run/starts')).toBe(`slot b took the place of slot a: ${reason}\n`)
    expect(host.device.read('textfile/hangar.prom')).toContain('hangar_starts{state="left",slot="b"} 1\n')
  })

  it('a rescue that is not healthy stays without a reboot if it got further than the failing slot', async () => {
    const host = await onTrial('a 3 0 1 7')
    host.device.write('net/route', '')
    // The watch after it would wait without end: the host never becomes healthy.
    host.weaken('trial', '[ ! -e "$RUN/committed" ] || watch', ':')
    const { calls } = host.call(['trial'])
    expect([host.selected, calls.filter((call) => /reboot/.test(call))]).toEqual(['b', []])
    expect(host.call(['status']).answer.state).toBe('committed')
    expect(starts(host)).toMatchObject({
      state: 'stays',
      reason,
      stays: expect.stringMatching(/got further than slot a: .*gateway/),
    })
    expect(host.device.read('textfile/hangar.prom')).toContain('hangar_starts{state="stays",slot="b"} 1\n')
  })

  it.each([
    ['the SSH server of the failing slot ran too', 'a 3 1 1 7', true],
    ['its SSH server does not run', 'a 3 0 1 7', false],
  ])('a rescue that is not healthy ends with a reboot if %s', async (_why, counts, ssh) => {
    const host = await onTrial(counts)
    host.device.write('net/route', '')
    if (!ssh) host.device.write('systemd/no-ssh', '')
    const { calls } = host.call(['trial'])
    expect([host.selected, calls.includes('systemctl reboot --no-block')]).toEqual(['a', true])
  })

  it('the commit of an update or a revert clears the state of an earlier rescue', async () => {
    const host = await onTrial('b 0 0 0 ended')
    host.remember({
      ...COMMITTED,
      kind: 'revert',
      slot: 'b',
      phase: 'trial',
      root: OTHER.root,
      starts_left: 'a',
      starts_stays: 'x',
      starts: 'a 2 0 0 4',
    })
    host.call(['trial'])
    expect([host.selected, starts(host)]).toEqual(['b', { state: 'normal', failed: 0 }])
  })

  it('a rescue whose commit was interrupted by a power cut does not record that a slot was left', async () => {
    const record = {
      ...COMMITTED,
      kind: 'rescue',
      slot: 'b',
      phase: 'committing',
      root: OTHER.root,
      committed: 'b',
      starts_left: 'a',
    }
    const host = await AgentHost.under(shell, { record: { ...record, starts: 'b 0 0 0 ended' } })
    host.call(['boot'])
    expect(host.record).toMatchObject({ phase: 'reverted', committed: 'a', starts_left: '', starts_stays: '' })
  })
})

describeAgent('the state of the starts', (shell) => {
  const stateOf = async (more: Record<string, string>) => {
    const host = await AgentHost.under(shell, { record: { ...COMMITTED, ...more } })
    host.device.write('textfile/.keep', '')
    host.shell('publish_starts')
    const metrics = host.device.read('textfile/hangar.prom')
    return [host.call(['status']).answer.starts, host.device.read('run/starts'), metrics] as const
  }

  it('is in the status, on the console and in the metrics', async () => {
    const [normal, nothing, quiet] = await stateOf({})
    expect([normal, nothing]).toEqual([{ state: 'normal', failed: 0 }, ''])
    expect(quiet).toContain('hangar_failed_starts 0\n')
    const [failing, sentence, metrics] = await stateOf({ starts: 'a 2 0 0 4', starts_reason: 'a "panic"' })
    expect(failing).toEqual({ state: 'failing', failed: 2, reason: 'a "panic"' })
    expect(sentence).toBe('2 of 3 starts in a row failed: a "panic"\n')
    expect(metrics).toContain('hangar_failed_starts 2\n')
    expect(metrics.split('\n').filter((line) => line.startsWith('hangar_starts{') && line.endsWith(' 1'))).toEqual([
      'hangar_starts{state="failing",slot="a"} 1',
    ])
    for (const line of metrics.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) hangar_\w+ .+|hangar_\w+(\{.*\})? \d+)$/)
  })

  it('fits into the record with the longest reasons', async () => {
    const host = await AgentHost.under(shell, { record: { ...COMMITTED, starts: 'a 999 1 3 255' } })
    const long = 'x'.repeat(3000)
    host.shell(`record_set reason ${long}; starts_load a; TRIED=2; starts_arm a b "slot a failed: ${long}"`)
    host.shell(`record_set phase trial reason ${long}`)
    host.shell(`other_can_boot() { :; }; starts_begin a b 1; echo $? >"$RUN/result"`)
    expect(host.device.read('run/result')).toBe('0\n')
    expect(host.record?.starts_stays).toMatch(/^slot b fails too: x{200}/)
  })
})
