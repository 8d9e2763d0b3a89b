import { renameSync, truncateSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseHealth, parseStatus } from '../../../../flash/ssh/answers.ts'
import { digestOf } from '../../../../images/digest.ts'
import { AgentHost, BUILT, describeAgent, type HostOptions, RUNNING_ROOT, SIZES } from '../../../helpers/agent-host.ts'
import { agentImage } from '../../../helpers/agent-image.ts'
import { begin, OWNER } from '../../../helpers/agent-update.ts'
import { SIGNING_LINE } from '../../../helpers/update-image.ts'

const IMAGE = agentImage('new')
const OLD = agentImage('old')
const UPDATE = { kind: 'update', id: 'one', slot: 'b', root: IMAGE.root, data: 'as-was', commit: 'local' }

describeAgent('status', (shell) => {
  const ask = (host: AgentHost) => {
    const { stdout, code } = host.call(['status'])
    expect([code, stdout.match(/\n/g)?.length]).toEqual([0, 1])
    return parseStatus('adama', stdout)
  }
  const under = (options: HostOptions = {}) => AgentHost.under(shell, options)

  it('status prints the running slot, the trusted keys and the health in the form that the controller reads', async () => {
    const host = await under()
    host.hold('a', OLD)
    const { firmware, kernel, bootId, ...status } = ask(host)
    expect(status).toEqual({
      ...{ protocols: [1], host: 'adama', board: 'raspberry-pi-5', layout: 1, uptime: 100, built: BUILT },
      ...{ slot: 'a', root: RUNNING_ROOT, state: 'committed', committed: 'a' },
      slots: {
        a: {
          state: 'bootable',
          root: OLD.root,
          serial: OLD.manifest.serial,
          manifest: digestOf(Buffer.from(OLD.text)),
        },
        b: { state: 'empty' },
      },
      ...{ previouslyCommitted: [], slotSize: SIZES.slot },
      trust: { serial: { time: 0, number: 0 }, signing: [SIGNING_LINE], revoked: [] },
      identity: { ssh: [], age: [] },
      starts: { state: 'normal' },
      ...{ update: null, lock: null, health: { state: 'healthy' } },
      data: { state: 'mounted', size: 1_000_000_000, used: 500_000_000 },
      clock: { now: BUILT + 1000, source: 'saved' },
    })
    expect([firmware, bootId, kernel !== '']).toEqual([
      { version: 'some version', time: 1_780_088_832 },
      '4567abcd-0000-4000-8000-000000000000',
      true,
    ])
  })

  it("status prints the lock's owner, the last update and the problems", async () => {
    const record = { ...UPDATE, phase: 'reverted', reason: 'a "quoted" \\ reason; $(id)' }
    const host = await under({ record })
    begin(host, agentImage('foreign', { manifest: { host: 'x' } }))
    host.device.write('proc/uptime', '112.9 0\n')
    host.device.write('run/data-failed', 'no "disk"\nat all')
    host.device.write('synchronized', '')
    host.device.write('run/identity/trust/revoked', 'ssh-ed25519 AAAAold\n\n')
    const { update, lock, data, clock, trust, health } = ask(host)
    expect({ update, lock, data }).toEqual({
      update: { ...record },
      lock: { owner: OWNER, age: 12 },
      data: { state: 'failed', reason: 'no "disk"' },
    })
    expect([clock.source, trust.revoked, health.state]).toEqual(['network', ['ssh-ed25519 AAAAold'], 'unhealthy'])
  })

  it.each([
    [{}, 'committed', 'a'],
    [{ slot: 'b', selector: 'b' }, 'committed', 'b'],
    [{ slot: 'b', tryboot: 1 }, 'trial', 'a'],
    [{ slot: 'b' }, 'fallback', 'a'],
    [{ selector: 'damaged' }, 'fallback', 'damaged'],
  ] as const)('status of a host with %j is %s, with slot %s committed', async (options, state, committed) => {
    expect((await under(options)).call(['state']).answer).toMatchObject({ state, committed })
  })

  it.each([
    ['writing', 'writing'],
    ['committing', 'trial'],
    ['committed', 'committed'],
  ])('status reports the recorded phase %s as %s', async (phase, said) => {
    const status = ask(await under({ record: { ...UPDATE, phase } }))
    expect([status.update?.phase, status.slots.b]).toEqual([said, { state: 'unbootable' }])
  })

  it('status reads a slot once, and again after a write to it', async () => {
    const host = await under()
    host.hold('b', OLD)
    const mounts = () => host.call(['status']).calls.filter((call) => call.startsWith('mount '))
    expect(mounts()).toEqual([expect.stringMatching(/-o ro,nosuid,nodev,noexec .*boot-b/)])
    expect(mounts()).toEqual([])
    begin(host, IMAGE)
    expect(ask(host).slots.b).toEqual({ state: 'unbootable' })
    host.hold('b', IMAGE)
    expect(ask(host).slots.b).toMatchObject({ state: 'bootable', root: IMAGE.root })
  })

  it('status reports a slot as unbootable if its boot file system is unreadable or lacks a manifest', async () => {
    const host = await under()
    host.hold('a', { ...OLD, boot: Buffer.from(OLD.boot).fill(1, 512, 8192) })
    host.hold('b', agentImage('x', { manifest: { format: 2 as never } }))
    expect(ask(host).slots).toEqual({ a: { state: 'unbootable' }, b: { state: 'unbootable' } })
  })

  it('a state call prints the health that the trial saw last', async () => {
    const host = await under({ slot: 'b', tryboot: 1, record: { ...UPDATE, phase: 'trial' } })
    host.device.write('run/trial', 'id one\n')
    const state = () => host.call(['state']).answer as { health: object; update: object }
    expect(state().health).toEqual({ state: 'unhealthy', reasons: ['the health was not checked yet'] })
    host.device.write('run/seen-health', 'no gateway\nno clock')
    expect(state()).toMatchObject({ state: 'trial', slot: 'b', update: { id: 'one', phase: 'trial' } })
    expect(parseHealth('adama', JSON.stringify(state().health))).toEqual({
      state: 'unhealthy',
      reasons: ['no gateway', 'no clock'],
    })
    host.device.write('run/seen-health', '')
    expect(state().health).toEqual({ state: 'healthy' })
  })

  it('a waiting call gets its answer when the trial needs its controller, or after the given time', async () => {
    const host = await under({ slot: 'b', tryboot: 1, record: { ...UPDATE, phase: 'trial' } })
    const waits = (...words: string[]) =>
      host.call(['state', ...words]).calls.filter((call) => /sleep/.test(call)).length
    const onTrial = (commit: string) => host.device.write('run/trial', `id one\ncommit ${commit}\n`)
    onTrial('controller')
    host.device.write('run/seen-health', 'no gateway')
    expect([waits(), waits('--wait', '3')]).toEqual([0, 3])
    host.device.write('run/seen-health', '')
    expect(waits('--wait', '3')).toBe(0)
    // This trial commits itself, so a healthy host is not the end of the wait.
    onTrial('local')
    expect(waits('--wait', '3')).toBe(3)
    host.device.write('run/committed', '')
    expect(waits('--wait', '3')).toBe(0)
    host.start({ slot: 'b' })
    expect(waits('--wait', '3')).toBe(0)
  })

  it('a waiting call gets the record that the trial wrote meanwhile', async () => {
    const host = await under({ slot: 'b', tryboot: 1, record: { ...UPDATE, phase: 'trial' } })
    host.device.write('run/trial', 'id one\ncommit local\n')
    host.remember({ ...UPDATE, phase: 'committed' }, 8)
    renameSync(host.device.path('dev/identity'), host.device.path('later'))
    host.device.write('dev/identity', '')
    truncateSync(host.device.path('dev/identity'), SIZES.identity)
    host.remember({ ...UPDATE, phase: 'trial' })
    host.device.fake('sleep', 'mv "$FAKE_ROOT/later" "$FAKE_ROOT/dev/identity"; : >"$FAKE_ROOT/run/committed"')
    expect(host.call(['state', '--wait', '3']).answer).toMatchObject({ update: { phase: 'committed' } })
  })

  it.each([[['--wait']], [['--wait', 'long']], [['--wait', '61']], [['--late', '3']]])(
    'the agent refuses the call %j',
    async (words) => {
      expect((await under()).call(['state', ...words]).error).toBe('usage')
    },
  )
})

describeAgent('an unknown call', (shell) => {
  it('the answer to an unknown call contains no control characters', async () => {
    const host = await AgentHost.under(shell)
    for (const words of [[], ['flash'], ['\u001b[2J"; id'], ['write', 'x', OWNER]])
      expect(host.call(words)).toMatchObject({ error: 'usage', code: 1 })
    expect(host.call(['\u001b[2J']).stdout).not.toContain('\u001b')
  })
})
