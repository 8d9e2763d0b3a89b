import { expect, it } from 'vitest'
import { agentImage } from '../../../helpers/agent-image.ts'
import { describeAgent, type HostOptions, PretendHost, RUNNING_ROOT } from '../../../helpers/pretend-agent.ts'

const UPDATE = {
  kind: 'update',
  id: 'one',
  slot: 'b',
  root: 'cd'.repeat(32),
  data: 'snapshot',
  commit: 'controller',
  seconds: '200',
}
/** Runs where slot b is committed. */
const A = { slot: 'a', root: RUNNING_ROOT } as const

describeAgent('a committed slot that cannot boot', (shell) => {
  const COMMITTED = { ...UPDATE, phase: 'committed', committed: 'b' }
  const boot = async (options: HostOptions = {}, damage?: (host: PretendHost) => void) => {
    const host = await PretendHost.under(shell, { ...A, selector: 'b', record: COMMITTED, ...options })
    for (const slot of ['a', 'b'] as const) host.hold(slot, agentImage(slot))
    damage?.(host)
    host.call(['boot'])
    return host
  }
  const unbootable = (host: PretendHost) => host.poke('boot-b', 0, Buffer.alloc(512))
  const garbled = (host: PretendHost) => host.poke('boot-b', 0, Buffer.alloc(512, 'x'))
  /** Its file system is one, and a firmware finds nothing in it. */
  const emptied = (host: PretendHost) => {
    const { fat, ...image } = agentImage('b')
    host.know({ ...image, fat: { ...fat, table: fat.table.replace(/^config\.txt .*\n/m, '') } })
  }

  it.each([
    ['b', unbootable],
    ['b', garbled],
    ['b', emptied],
    ['damaged', unbootable],
  ] as const)(
    "is stood in for by the other one, with today's data, on trial (selector %s)",
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

  it('is stood in for, and what is not healthy then runs once without a trial, so that somebody can look', async () => {
    const host = await boot({}, unbootable)
    expect(host.record).toMatchObject({ kind: 'rescue', phase: 'trial' })
    host.start(A)
    host.call(['boot'])
    expect([host.record?.phase, host.device.has('run/trial'), host.selected]).toEqual(['reverted', false, 'b'])
    // What is wrong may be mended by then.
    host.start(A)
    host.call(['boot'])
    expect([host.record?.phase, host.device.has('run/trial')]).toEqual(['trial', true])
  })

  it('is none where it can boot and somebody started the other one', async () => {
    const host = await boot()
    expect([host.record, host.device.has('run/trial')]).toEqual([COMMITTED, false])
  })

  it('is left alone on a trial of it, and where it is not the one that is committed', async () => {
    const own = await boot({ selector: 'a', record: { ...COMMITTED, committed: 'a' } }, unbootable)
    expect(own.device.has('run/trial')).toBe(false)
    const trial = await boot(
      { tryboot: 1, record: { ...UPDATE, phase: 'armed', slot: 'a', root: RUNNING_ROOT } },
      unbootable,
    )
    expect(trial.record).toMatchObject({ id: 'one', phase: 'trial' })
  })
})
