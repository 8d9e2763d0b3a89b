import { expect, it } from 'vitest'
import { AgentHost, describeAgent, RUNNING_ROOT } from '../../../helpers/agent-host.ts'
import { agentImage } from '../../../helpers/agent-image.ts'
import { begin, OWNER } from '../../../helpers/agent-update.ts'

const IMAGE = agentImage('new')
const WRITTEN = { kind: 'update', id: '-', slot: 'b', root: IMAGE.root, serial: '1795000000 1' }
const ON_TRIAL = { ...WRITTEN, phase: 'trial', id: 'one', commit: 'controller', data: 'snapshot', seconds: '300' }

describeAgent('agent revert', (shell) => {
  it.each([
    [[], 'snapshot'],
    [['--with-data'], 'as-was'],
  ])('agent revert with %j arms a trial of the other slot that commits itself', async (flags, data) => {
    const host = await AgentHost.under(shell, { record: { previously_committed: `${RUNNING_ROOT} ${IMAGE.root}` } })
    host.hold('b', IMAGE)
    const { answer } = host.call(['revert', ...flags])
    expect(answer).toEqual({ ok: true, id: 'revert-0123abcd', slot: 'b', root: IMAGE.root })
    const record = {
      kind: 'revert',
      phase: 'armed',
      slot: 'b',
      root: IMAGE.root,
      data,
      commit: 'local',
      seconds: '300',
    }
    expect([host.record, host.armed]).toEqual([expect.objectContaining({ ...record, committed: 'a' }), '1'])
  })

  it('agent revert refuses an incomplete slot, and refuses during a trial', async () => {
    const host = await AgentHost.under(shell, { record: { previously_committed: IMAGE.root } })
    expect(host.call(['revert']).error).toBe('state')
    host.hold('b', agentImage('x', { manifest: { host: 'starbuck' } }))
    expect(host.call(['revert']).error).toBe('state')
    host.hold('b', IMAGE)
    host.poke('slot-b', 4096, Buffer.from('x'))
    expect([host.call(['revert']).error, host.armed, host.record?.phase]).toEqual(['state', '0', undefined])
    host.start({ tryboot: 1, slot: 'b' })
    expect(host.call(['revert']).error).toBe('busy')
  })
})

describeAgent('agent revert while another controller writes', (shell) => {
  const COMMITTED_BEFORE = { previously_committed: `${RUNNING_ROOT} ${IMAGE.root}` }
  const newHost = async () => {
    const host = await AgentHost.under(shell, { record: COMMITTED_BEFORE })
    host.hold('b', IMAGE)
    return host
  }

  it('agent revert fails while another controller holds the lock, until the lock expires', async () => {
    const host = await newHost()
    host.call(['write', 'tree', OWNER])
    expect(host.call(['revert'])).toMatchObject({
      error: 'busy',
      message: `${OWNER} is updating this host; its last call was 0 seconds ago`,
    })
    expect([host.armed, host.record]).toEqual(['0', COMMITTED_BEFORE])
    host.device.write('proc/uptime', '9000.00 1.00\n')
    expect(host.call(['revert']).error).toBe(undefined)
  })

  it('agent revert blocks a new write until it has armed the trial, and the write then clears the flag', async () => {
    const host = await newHost()
    const meanwhile = (weakened: string) =>
      host.shell(`revert_ends() { flock -n "$LOCK.guard" true && echo not locked; }; ${weakened}
        tryboot_set() { revert_ends; }; revert`).stdout
    expect(meanwhile('')).not.toContain('not locked')
    expect(meanwhile('lock_guard() { :; }')).toContain('not locked')
    expect(host.call(['revert']).error).toBe(undefined)
    expect([begin(host, agentImage('newer')).answer.state, host.armed]).toEqual(['begun', '0'])
  })
})

describeAgent('agent revert to a generation that was never committed', (shell) => {
  const cases = [
    ['written', { phase: 'written' }, /^cannot revert: slot b holds a generation that was never committed here$/],
    ['reverted', { phase: 'reverted', reason: 'no way in' }, /never committed here \(no way in\)$/],
  ] as const
  it.each(cases)(
    'agent revert refuses a slot that was only %s, because its trial would commit itself',
    async (_what, is, said) => {
      const record = { ...WRITTEN, ...is, previously_committed: `${RUNNING_ROOT} ${'ef'.repeat(32)}` }
      const host = await AgentHost.under(shell, { record })
      host.hold('b', IMAGE)
      expect(host.call(['revert'])).toMatchObject({ error: 'state', message: expect.stringMatching(said) })
      expect([host.armed, host.record]).toEqual(['0', record])
      host.weaken('revert', /was_committed "\$VERIFIED_ROOT" \|\|/, 'true ||')
      expect([host.call(['revert']).error, host.armed]).toEqual([undefined, '1'])
    },
  )

  it('agent revert refuses a root hash that was committed with other boot files', async () => {
    const record = {
      ...WRITTEN,
      phase: 'reverted',
      reason: 'no way in',
      previously_committed: `${RUNNING_ROOT} ${IMAGE.root}`,
    }
    const host = await AgentHost.under(shell, { record })
    host.hold('b', IMAGE)
    expect(host.call(['revert']).message).toContain(
      'slot b holds a generation that was never committed here (no way in)',
    )
    // The failed revert left the slot as it was when committed.
    host.remember({ ...record, kind: 'revert' })
    expect(host.call(['revert']).error).toBe(undefined)
  })

  it.each([
    [undefined, IMAGE.root],
    [RUNNING_ROOT, `${IMAGE.root} ${RUNNING_ROOT}`],
    [`${RUNNING_ROOT} ${'ef'.repeat(32)}`, `${IMAGE.root} ${RUNNING_ROOT}`],
    [`${RUNNING_ROOT} ${IMAGE.root}`, `${IMAGE.root} ${RUNNING_ROOT}`],
    [`${IMAGE.root} ${RUNNING_ROOT}`, `${IMAGE.root} ${RUNNING_ROOT}`],
    // Both slots hold one root hash and other boot files: the second entry says that both were committed.
    [IMAGE.root, `${IMAGE.root} ${IMAGE.root}`],
    [`${IMAGE.root} ${IMAGE.root}`, `${IMAGE.root} ${IMAGE.root}`],
  ])(
    'agent revert finds the committed root hash recorded as the first of two (former record: %s)',
    async (before, after) => {
      const record = { ...ON_TRIAL, ...(before === undefined ? {} : { previously_committed: before }) }
      const host = await AgentHost.under(shell, { slot: 'b', tryboot: 1, root: IMAGE.root, record })
      host.device.write('run/trial', 'id one\ncommit controller\nseconds 106\n')
      expect(host.call(['commit', 'one', IMAGE.root]).error).toBe(undefined)
      expect(host.record?.previously_committed).toBe(after)
    },
  )

  it('agent revert succeeds after a commit whose record lacked the committed root hashes', async () => {
    const host = await AgentHost.under(shell, { slot: 'b', tryboot: 1, root: IMAGE.root, record: ON_TRIAL })
    const old = agentImage('old')
    host.hold('a', old)
    host.device.write('run/trial', 'id one\ncommit controller\nseconds 106\n')
    expect(host.call(['commit', 'one', IMAGE.root]).error).toBe(undefined)
    expect(host.record?.previously_committed).toBe(`${IMAGE.root} ${old.root}`)
    host.start({ slot: 'b', root: IMAGE.root })
    expect(host.call(['revert']).answer).toMatchObject({ ok: true, slot: 'a' })
  })

  it('agent revert refuses unknown arguments', async () => {
    const host = await AgentHost.under(shell, { record: { previously_committed: IMAGE.root } })
    host.hold('b', IMAGE)
    for (const words of [['--with-date'], ['--with-data', 'x'], ['']])
      expect(host.call(['revert', ...words]).error, words.join(' ')).toBe('usage')
  })
})
