import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { AgentHost, describeAgent, type HostOptions, RUNNING_ROOT } from '../../../helpers/agent-host.ts'
import { agentImage } from '../../../helpers/agent-image.ts'
import { SIGNING_LINE } from '../../../helpers/update-image.ts'

const NEW = 'cd'.repeat(32)
const UPDATE = {
  kind: 'update',
  id: 'one',
  slot: 'b',
  root: NEW,
  data: 'snapshot',
  commit: 'controller',
  seconds: '200',
}
const RESCUE = { ...UPDATE, kind: 'rescue', root: '-', commit: 'local', committed: 'a' }
/** On A, the committed slot runs. On B, the slot on trial runs. */
const A = { slot: 'a', root: RUNNING_ROOT } as const
const B = { slot: 'b', root: NEW } as const
const EARLY = /it never got as far as its health check/
const UNHEALTHY = /it ended before it was healthy/

interface BootResult {
  readonly phase: string | undefined
  readonly trial?: string
  readonly reason?: RegExp
  readonly more?: object
}

const STARTS: readonly (readonly [string, HostOptions, BootResult])[] = [
  ['there was no update yet', { ...A }, { phase: undefined }],
  ['a write was interrupted', { ...A, record: { ...UPDATE, phase: 'writing' } }, { phase: 'writing' }],
  ['a slot was written', { ...A, record: { ...UPDATE, phase: 'written' } }, { phase: 'written' }],
  [
    'the update was committed',
    { ...B, selector: 'b', record: { ...UPDATE, phase: 'committed' } },
    { phase: 'committed' },
  ],
  ['the update was reverted', { ...A, record: { ...UPDATE, phase: 'reverted' } }, { phase: 'reverted' }],
  [
    'a trial was armed and boots',
    { ...B, tryboot: 1, record: { ...UPDATE, phase: 'armed' } },
    { phase: 'trial', trial: 'one' },
  ],
  [
    'a slot was written and the flag was set by hand',
    // The record does not yet say how the trial would end.
    { ...B, tryboot: 1, record: { kind: 'update', id: '-', slot: 'b', root: NEW, serial: '9 9', phase: 'written' } },
    { phase: 'trial', trial: 'by-hand', more: { commit: 'local', slot: 'b', root: NEW, serial: '' } },
  ],
  [
    'a trial was armed and the flag was lost',
    { ...A, record: { ...UPDATE, phase: 'armed' } },
    { phase: 'reverted', reason: EARLY },
  ],
  [
    'a trial ended without a reason',
    { ...A, record: { ...UPDATE, phase: 'trial' } },
    { phase: 'reverted', reason: UNHEALTHY },
  ],
  [
    'a trial ended and the flag was set again',
    { ...B, tryboot: 1, record: { ...UPDATE, phase: 'trial' } },
    { phase: 'reverted', reason: UNHEALTHY },
  ],
  [
    'a trial ended and recorded why',
    { ...A, record: { ...UPDATE, phase: 'trial', reason: 'no gateway' } },
    { phase: 'reverted', reason: /^no gateway$/ },
  ],
  [
    'a trial ended while it waited',
    { ...A, record: { ...UPDATE, phase: 'trial', reason: 'last seen: no gateway;' } },
    { phase: 'reverted', reason: /^it ended before it was healthy: .*a power cut; last seen: no gateway;$/ },
  ],
  [
    'power was cut before the commit wrote the sector',
    { ...A, record: { ...UPDATE, phase: 'committing', committed: 'b' } },
    { phase: 'reverted', reason: /cut while it was being committed/, more: { committed: 'a' } },
  ],
  [
    'power was cut after the commit wrote the sector',
    { ...B, selector: 'b', record: { ...UPDATE, phase: 'committing', committed: 'b' } },
    { phase: 'committed', more: { committed: 'b' } },
  ],
  [
    'the committed slot could not start and the other one boots',
    { ...B, tryboot: 1, record: { ...RESCUE, phase: 'armed' } },
    { phase: 'trial', trial: 'one', more: { kind: 'rescue', root: NEW } },
  ],
  [
    'the committed slot could not start and the other one did not boot',
    { ...A, record: { ...RESCUE, phase: 'armed' } },
    { phase: 'reverted', reason: /the firmware did not start the other slot/ },
  ],
  [
    'the committed slot could not start and the other one did not become healthy',
    { ...A, record: { ...RESCUE, phase: 'trial' } },
    { phase: 'reverted', reason: /the firmware did not start the other slot/ },
  ],
  [
    'the flag was set by hand and there is no record',
    { ...B, tryboot: 1 },
    { phase: 'trial', trial: 'by-hand', more: { commit: 'local', slot: 'b', root: NEW } },
  ],
  [
    'a trial was armed and the firmware booted the committed slot',
    { ...A, selector: 'a', tryboot: 1, record: { ...UPDATE, phase: 'armed' } },
    { phase: 'reverted', reason: /the firmware found nothing to start in the slot, and booted the committed slot/ },
  ],
  [
    'the flag was set during a write',
    { ...A, selector: 'a', tryboot: 1, record: { ...UPDATE, phase: 'writing' } },
    { phase: 'writing' },
  ],
  [
    'the other slot was armed by the initramfs and the firmware booted the committed slot',
    { ...A, selector: 'a', tryboot: 1, record: { ...RESCUE, phase: 'armed' } },
    { phase: 'reverted', reason: /booted the committed slot/ },
  ],
  [
    'the flag was set by hand for a slot with another generation',
    { ...B, root: 'ef'.repeat(32), tryboot: 1, record: { ...UPDATE, phase: 'armed', serial: '9 9' } },
    // With the recorded serial, a commit would accept the keys of this image.
    { phase: 'trial', trial: 'by-hand', more: { root: 'ef'.repeat(32), serial: '' } },
  ],
]

describeAgent('agent boot', (shell) => {
  it.each(STARTS)('sets the state of the boot when %s', async (_what, options, { phase, trial, reason, more = {} }) => {
    const host = await AgentHost.under(shell, options)
    const before = host.selected
    const { code } = host.call(['boot'])
    expect([code, host.record?.phase]).toEqual([0, phase])
    if (phase !== undefined) expect(host.record).toMatchObject(more)
    if (reason !== undefined) expect(host.record?.reason).toMatch(reason)
    const facts = Object.fromEntries(
      host.device
        .read('run/trial')
        .split('\n')
        .map((line) => line.split(' ')),
    )
    expect(facts.id).toBe(trial)
    // The initramfs reads this file for its deadline, so the file must exist from the beginning of the trial.
    const seconds = { one: '200\n', 'by-hand': '300\n' }[trial ?? ''] ?? ''
    expect(host.device.read('run/deadline')).toBe(seconds)
    expect([host.device.has('run/restart'), host.selected]).toEqual([false, before])
  })

  it("starts no trial when the flag is set on the committed slot, because a trial would replace today's data", async () => {
    const came = async (weakened?: (host: AgentHost) => unknown) => {
      const record = { ...UPDATE, phase: 'writing' }
      const host = await AgentHost.under(shell, { ...A, selector: 'a', tryboot: 1, record })
      weakened?.(host)
      host.call(['boot'])
      // The file run/committed cancels the deadline of the initramfs.
      return [host.device.has('run/trial'), host.device.has('run/committed'), host.call(['status']).answer.state]
    }
    expect(await came()).toEqual([false, true, 'committed'])
    expect(await came((host) => host.weaken('boot-state', 'if trial_did_not_start; then', 'if false; then'))).toEqual([
      ...[true, false, 'trial'],
    ])
  })

  it('completes a commit that a power cut interrupted', async () => {
    const record = { ...UPDATE, phase: 'committing', committed: 'b', serial: '5 1' }
    const host = await AgentHost.under(shell, { ...B, selector: 'b', record })
    host.call(['boot'])
    expect(host.device.read('run/identity/trust/serial')).toBe('5 1\n')
    expect(host.device.read('run/identity/trust/signing')).toBe(`${SIGNING_LINE.split(' ').slice(0, 2).join(' ')}\n`)
  })
})

describeAgent('a damaged selector', (shell) => {
  const damaged = async (options: HostOptions, bootable: readonly ('a' | 'b')[] = ['a', 'b']) => {
    const host = await AgentHost.under(shell, { selector: 'damaged', ...options })
    for (const slot of bootable) host.hold(slot, agentImage(slot))
    return host
  }
  const boot = (host: AgentHost) => {
    host.call(['boot'])
    return [host.selected, host.device.has('run/restart')]
  }
  const COMMITTED = { ...UPDATE, phase: 'committed', committed: 'b' }

  it.each<[string, HostOptions, [string, boolean]]>([
    ['for the committed slot, and reboots into it', { ...A, record: COMMITTED }, ['b', true]],
    ['for the running slot if it was committed', { ...A, record: { ...COMMITTED, committed: 'a' } }, ['a', false]],
    ['for the running slot if there is no record', { ...A }, ['a', false]],
    [
      'for slot b if that runs, because the firmware never boots it by accident',
      { ...B, record: { ...COMMITTED, committed: 'a' } },
      ['b', false],
    ],
    [
      'for the committed slot if the other one was armed',
      { ...A, record: { ...UPDATE, phase: 'armed', slot: 'a', committed: 'b' } },
      ['b', true],
    ],
    [
      'for the committed slot if the other one was on trial',
      { ...A, record: { ...UPDATE, phase: 'trial', slot: 'a', committed: 'b' } },
      ['b', true],
    ],
  ])('writes a damaged selector again %s', async (_what, options, repaired) => {
    expect(boot(await damaged(options))).toEqual(repaired)
  })

  it('writes the selector for the running slot if a failed trial changes the record (negative control)', async () => {
    const host = await damaged({ ...A, record: { ...UPDATE, phase: 'armed', slot: 'a', committed: 'b' } })
    host.weaken(
      'boot-state',
      /record_set phase reverted reason "\$reason"/,
      'record_set phase reverted committed "$SLOT"',
    )
    expect(boot(host)).toEqual(['a', false])
  })

  it('writes the selector for the running slot if the committed one cannot boot and a fallback trial failed', async () => {
    const tried = { ...COMMITTED, kind: 'rescue', id: 'rescue', phase: 'reverted', slot: 'a' }
    expect(boot(await damaged({ ...A, record: tried }, ['a']))).toEqual(['a', false])
    const weakened = await damaged({ ...A, record: tried }, ['a'])
    weakened.weaken('boot-state', '&& ! has_boot_sector "$committed"', '&& false')
    expect(boot(weakened)).toEqual(['b', true])
  })

  it('keeps services away from outdated data if the selector cannot be written', async () => {
    const host = await damaged({ ...A, record: COMMITTED })
    host.device.write('power', '1')
    expect(boot(host)).toEqual(['damaged', false])
    expect(host.device.read('run/wrong-slot')).toContain("slot a runs, but slot b is committed and has today's data")
    const alone = await damaged(A)
    alone.device.write('power', '1')
    alone.call(['boot'])
    expect(alone.device.read('run/wrong-slot')).toBe('')
  })

  it('does not write a damaged selector during a trial', async () => {
    expect(boot(await damaged({ ...B, tryboot: 1, record: { ...UPDATE, phase: 'armed' } }))).toEqual(['damaged', false])
  })

  it('does not treat the selector as damaged if it names a slot', async () => {
    const host = await damaged({ ...A, selector: 'a', record: COMMITTED })
    expect(boot(host)).toEqual(['a', false])
  })

  it('does not repair the selector without the boot facts of the initramfs', async () => {
    const host = await damaged(A)
    rmSync(host.device.path('run/boot'))
    expect(host.call(['boot']).error).toBe('state')
  })
})
