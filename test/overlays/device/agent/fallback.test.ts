import { expect, it } from 'vitest'
import { AgentHost, describeAgent, type HostOptions, RUNNING_ROOT } from '../../../helpers/agent-host.ts'
import { agentImage } from '../../../helpers/agent-image.ts'

const UPDATE = {
  kind: 'update',
  id: 'one',
  slot: 'b',
  root: 'cd'.repeat(32),
  data: 'snapshot',
  commit: 'controller',
  seconds: '200',
}
/** Slot a runs while slot b is committed. */
const A = { slot: 'a', root: RUNNING_ROOT } as const

describeAgent('a committed slot that cannot boot', (shell) => {
  const COMMITTED = { ...UPDATE, phase: 'committed', committed: 'b' }
  const boot = async (options: HostOptions = {}, damage?: (host: AgentHost) => void) => {
    const host = await AgentHost.under(shell, { ...A, selector: 'b', record: COMMITTED, ...options })
    for (const slot of ['a', 'b'] as const) host.hold(slot, agentImage(slot))
    damage?.(host)
    host.call(['boot'])
    return host
  }
  const unbootable = (host: AgentHost) => host.poke('boot-b', 0, Buffer.alloc(512))
  const garbled = (host: AgentHost) => host.poke('boot-b', 0, Buffer.alloc(512, 'x'))
  /** A valid file system without config.txt, in which the firmware finds nothing to start. */
  const emptied = (host: AgentHost) => {
    const { fat, ...image } = agentImage('b')
    host.know({ ...image, fat: { ...fat, table: fat.table.replace(/^config\.txt .*\n/m, '') } })
  }

  it.each([
    ['b', unbootable],
    ['b', garbled],
    ['b', emptied],
    ['damaged', unbootable],
  ] as const)(
    "boots the other slot as a fallback if the committed slot cannot boot, on trial with today's data (selector %s)",
    async (selector, damage) => {
      const host = await boot({ selector }, damage)
      const trial = { kind: 'rescue', phase: 'trial', slot: 'a', root: RUNNING_ROOT, data: 'snapshot', commit: 'local' }
      expect(host.record).toMatchObject({ ...trial, reason: 'slot b cannot boot', serial: '' })
      expect(host.device.read('run/trial')).toBe('id rescue\ndata snapshot\ncommit local\nseconds 300\n')
      expect(host.call(['status']).answer.state).toBe('trial')
      host.call(['trial'])
      expect([host.selected, host.record?.phase]).toEqual(['a', 'committed'])
      expect(host.call(['status']).answer.state).toBe('committed')
    },
  )

  it('after the trial of a fallback boot fails, the next boot has no trial', async () => {
    const host = await boot({}, unbootable)
    expect(host.record).toMatchObject({ kind: 'rescue', phase: 'trial' })
    host.start(A)
    host.call(['boot'])
    expect([host.record?.phase, host.device.has('run/trial'), host.selected]).toEqual(['reverted', false, 'b'])
    // The second boot after the failed trial tries again, because the cause may be gone.
    host.start(A)
    host.call(['boot'])
    expect([host.record?.phase, host.device.has('run/trial')]).toEqual(['trial', true])
  })

  it('starts no fallback trial if the committed slot can boot and the other slot was started by hand', async () => {
    const host = await boot()
    expect([host.record, host.device.has('run/trial')]).toEqual([COMMITTED, false])
  })

  it('starts no fallback boot during a trial, or if only the inactive slot is unbootable', async () => {
    const own = await boot({ selector: 'a', record: { ...COMMITTED, committed: 'a' } }, unbootable)
    expect(own.device.has('run/trial')).toBe(false)
    const trial = await boot(
      { tryboot: 1, record: { ...UPDATE, phase: 'armed', slot: 'a', root: RUNNING_ROOT } },
      unbootable,
    )
    expect(trial.record).toMatchObject({ id: 'one', phase: 'trial' })
  })
})
