import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { agentImage } from '../../../helpers/agent-image.ts'
import { describeAgent, type HostOptions, PretendHost, RUNNING_ROOT } from '../../../helpers/pretend-agent.ts'
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
/** Slot a was committed all along, or b runs what is to be tried. */
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
  ['nothing was ever tried', { ...A }, { phase: undefined }],
  ['a slot is being written', { ...A, record: { ...UPDATE, phase: 'writing' } }, { phase: 'writing' }],
  ['a slot was written', { ...A, record: { ...UPDATE, phase: 'written' } }, { phase: 'written' }],
  ['it was committed', { ...B, selector: 'b', record: { ...UPDATE, phase: 'committed' } }, { phase: 'committed' }],
  ['it was reverted', { ...A, record: { ...UPDATE, phase: 'reverted' } }, { phase: 'reverted' }],
  [
    'it was armed, and the flag brought it here',
    { ...B, tryboot: 1, record: { ...UPDATE, phase: 'armed' } },
    { phase: 'trial', trial: 'one' },
  ],
  [
    'it was written, and somebody set the flag',
    // Nothing says yet how it would be tried.
    { ...B, tryboot: 1, record: { kind: 'update', id: '-', slot: 'b', root: NEW, serial: '9 9', phase: 'written' } },
    { phase: 'trial', trial: 'by-hand', more: { commit: 'local', slot: 'b', root: NEW, serial: '' } },
  ],
  [
    'it was armed, and the flag was lost',
    { ...A, record: { ...UPDATE, phase: 'armed' } },
    { phase: 'reverted', reason: EARLY },
  ],
  ['it was on trial', { ...A, record: { ...UPDATE, phase: 'trial' } }, { phase: 'reverted', reason: UNHEALTHY }],
  [
    'it was on trial, and the flag was set again',
    { ...B, tryboot: 1, record: { ...UPDATE, phase: 'trial' } },
    { phase: 'reverted', reason: UNHEALTHY },
  ],
  [
    'it was on trial and said why it ends',
    { ...A, record: { ...UPDATE, phase: 'trial', reason: 'no gateway' } },
    { phase: 'reverted', reason: /^no gateway$/ },
  ],
  [
    'it was on trial and ended while it waited for something',
    { ...A, record: { ...UPDATE, phase: 'trial', reason: 'last seen: no gateway;' } },
    { phase: 'reverted', reason: /^it ended before it was healthy: .*the power was cut; last seen: no gateway;$/ },
  ],
  [
    'its commit was cut before the sector',
    { ...A, record: { ...UPDATE, phase: 'committing', committed: 'b' } },
    { phase: 'reverted', reason: /cut while it was being committed/, more: { committed: 'a' } },
  ],
  [
    'its commit was cut after the sector',
    { ...B, selector: 'b', record: { ...UPDATE, phase: 'committing', committed: 'b' } },
    { phase: 'committed', more: { committed: 'b' } },
  ],
  [
    'the other slot came to the rescue',
    { ...B, tryboot: 1, record: { ...RESCUE, phase: 'armed' } },
    { phase: 'trial', trial: 'one', more: { kind: 'rescue', root: NEW } },
  ],
  [
    'no rescue came',
    { ...A, record: { ...RESCUE, phase: 'armed' } },
    { phase: 'reverted', reason: /could not be tried/ },
  ],
  [
    'the rescue was not healthy',
    { ...A, record: { ...RESCUE, phase: 'trial' } },
    { phase: 'reverted', reason: /could not be tried/ },
  ],
  [
    'somebody set the flag, and nothing is known',
    { ...B, tryboot: 1 },
    { phase: 'trial', trial: 'by-hand', more: { commit: 'local', slot: 'b', root: NEW } },
  ],
  [
    'it was armed, and the firmware came back from it',
    { ...A, selector: 'a', tryboot: 1, record: { ...UPDATE, phase: 'armed' } },
    { phase: 'reverted', reason: /the firmware could not start it, and came back/ },
  ],
  [
    'the flag was set for a slot that is being written',
    { ...A, selector: 'a', tryboot: 1, record: { ...UPDATE, phase: 'writing' } },
    { phase: 'writing' },
  ],
  [
    'a rescue was armed, and the firmware came back from it',
    { ...A, selector: 'a', tryboot: 1, record: { ...RESCUE, phase: 'armed' } },
    { phase: 'reverted', reason: /came back/ },
  ],
  [
    'somebody set the flag for a slot that holds something else',
    { ...B, root: 'ef'.repeat(32), tryboot: 1, record: { ...UPDATE, phase: 'armed', serial: '9 9' } },
    // Another one's serial would make this image's keys count.
    { phase: 'trial', trial: 'by-hand', more: { root: 'ef'.repeat(32), serial: '' } },
  ],
]

describeAgent('the state of a boot, where', (shell) => {
  it.each(STARTS)('%s', async (_what, options, { phase, trial, reason, more = {} }) => {
    const host = await PretendHost.under(shell, options)
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
    // What the initramfs' watcher waits for: it has to be there from the trial's begin on.
    const seconds = { one: '200\n', 'by-hand': '300\n' }[trial ?? ''] ?? ''
    expect(host.device.read('run/deadline')).toBe(seconds)
    expect([host.device.has('run/restart'), host.selected]).toEqual([false, before])
  })

  it('with the flag, on the slot that is committed, without a trial: its data would be exchanged for older', async () => {
    const came = async (careless?: (host: PretendHost) => unknown) => {
      const record = { ...UPDATE, phase: 'writing' }
      const host = await PretendHost.under(shell, { ...A, selector: 'a', tryboot: 1, record })
      careless?.(host)
      host.call(['boot'])
      // What keeps the initramfs' watcher from ending a start that nobody commits.
      return [host.device.has('run/trial'), host.device.has('run/committed'), host.call(['status']).answer.state]
    }
    expect(await came()).toEqual([false, true, 'committed'])
    expect(await came((host) => host.careless('boot-state', 'if came_back; then', 'if false; then'))).toEqual([
      ...[true, false, 'trial'],
    ])
  })

  it('does what follows from a commit that was cut', async () => {
    const record = { ...UPDATE, phase: 'committing', committed: 'b', serial: '5 1' }
    const host = await PretendHost.under(shell, { ...B, selector: 'b', record })
    host.call(['boot'])
    expect(host.device.read('run/identity/trust/serial')).toBe('5 1\n')
    expect(host.device.read('run/identity/trust/signing')).toBe(`${SIGNING_LINE.split(' ').slice(0, 2).join(' ')}\n`)
  })
})

describeAgent('a damaged selector', (shell) => {
  const damaged = async (options: HostOptions, bootable: readonly ('a' | 'b')[] = ['a', 'b']) => {
    const host = await PretendHost.under(shell, { selector: 'damaged', ...options })
    for (const slot of bootable) host.hold(slot, agentImage(slot))
    return host
  }
  const boot = (host: PretendHost) => {
    host.call(['boot'])
    return [host.selected, host.device.has('run/restart')]
  }
  const COMMITTED = { ...UPDATE, phase: 'committed', committed: 'b' }

  it.each<[string, HostOptions, [string, boolean]]>([
    ['for the committed slot, which then starts', { ...A, record: COMMITTED }, ['b', true]],
    ['for what runs where that was committed', { ...A, record: { ...COMMITTED, committed: 'a' } }, ['a', false]],
    ['for what runs where nobody knows', { ...A }, ['a', false]],
    [
      'for what runs where that is slot b: no firmware starts it by accident',
      { ...B, record: { ...COMMITTED, committed: 'a' } },
      ['b', false],
    ],
    [
      'for the committed slot where the other one was about to be tried',
      { ...A, record: { ...UPDATE, phase: 'armed', slot: 'a', committed: 'b' } },
      ['b', true],
    ],
    [
      'for the committed slot where the other one was on trial',
      { ...A, record: { ...UPDATE, phase: 'trial', slot: 'a', committed: 'b' } },
      ['b', true],
    ],
  ])('is written again %s', async (_what, options, repaired) => {
    expect(boot(await damaged(options))).toEqual(repaired)
  })

  it('would be written for what runs if a trial that ended said so', async () => {
    const host = await damaged({ ...A, record: { ...UPDATE, phase: 'armed', slot: 'a', committed: 'b' } })
    host.careless(
      'boot-state',
      /record_set phase reverted reason "\$reason"/,
      'record_set phase reverted committed "$SLOT"',
    )
    expect(boot(host)).toEqual(['a', false])
  })

  it('is written for what runs where the committed slot cannot boot, and what runs has tried to stand in', async () => {
    const tried = { ...COMMITTED, kind: 'rescue', id: 'rescue', phase: 'reverted', slot: 'a' }
    expect(boot(await damaged({ ...A, record: tried }, ['a']))).toEqual(['a', false])
    const careless = await damaged({ ...A, record: tried }, ['a'])
    careless.careless('boot-state', '&& ! has_boot_sector "$committed"', '&& false')
    expect(boot(careless)).toEqual(['b', true])
  })

  it('that cannot be written keeps services from the data of another slot', async () => {
    const host = await damaged({ ...A, record: COMMITTED })
    host.device.write('power', '1')
    expect(boot(host)).toEqual(['damaged', false])
    expect(host.device.read('run/wrong-slot')).toContain('slot a runs, slot b is committed and has the data')
    const alone = await damaged(A)
    alone.device.write('power', '1')
    alone.call(['boot'])
    expect(alone.device.read('run/wrong-slot')).toBe('')
  })

  it('is left alone on trial', async () => {
    expect(boot(await damaged({ ...B, tryboot: 1, record: { ...UPDATE, phase: 'armed' } }))).toEqual(['damaged', false])
  })

  it('is none where it names a slot: that was meant', async () => {
    const host = await damaged({ ...A, selector: 'a', record: COMMITTED })
    expect(boot(host)).toEqual(['a', false])
  })

  it('is not decided when the initramfs left no boot facts', async () => {
    const host = await damaged(A)
    rmSync(host.device.path('run/boot'))
    expect(host.call(['boot']).error).toBe('state')
  })
})
