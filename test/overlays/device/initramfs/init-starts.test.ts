import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { RECORD_PLACES, type RecordText, recordBlock } from '../../../helpers/agent-record.ts'
import { describeOnShells, type Shell } from '../../../helpers/fake-device.ts'
import { HASH, newMachine, SCRIPT, SHELLS } from '../../../helpers/fake-initramfs.ts'

const ARMED = 'sys/module/hangar_tryboot/parameters/armed'
const OTHER = 'cd'.repeat(32)
/** Slot a was committed after slot b. */
const COMMITTED = {
  kind: 'update',
  slot: 'a',
  phase: 'committed',
  committed: 'a',
  previously_committed: `${HASH} ${OTHER}`,
}
const BY_ITSELF = 'it restarted by itself before it was healthy: a panic or a hang'

interface Given {
  /** The firmware's count of starts since the power came on. */
  readonly count?: number
  readonly record?: RecordText
  readonly tryboot?: number
  readonly script?: string
}

/** One start of slot a, whose former start left the record. */
async function startOf(shell: Shell, { count = 0, record, tryboot = 0, script = SCRIPT }: Given) {
  const machine = await newMachine(shell, { firmware: { partition: 2, tryboot, count }, watchdog: 'none' })
  const { device } = machine
  for (const name of ['mmcblk0p2', 'mmcblk0p3']) device.write(`dev/${name}`, 'a boot file system')
  device.write(ARMED, '0\n')
  if (record !== undefined) {
    const path = device.path('dev/mmcblk0p4')
    const bytes = readFileSync(path)
    bytes.set(recordBlock(7, record), RECORD_PLACES[0])
    writeFileSync(path, bytes)
  }
  const ran = machine.start(script)
  return { ...ran, armed: device.read(ARMED).trim(), starts: ran.record?.starts }
}

describeOnShells(
  'the initramfs of a committed slot',
  (shell) => {
    it('records a start before it opens the slot', async () => {
      const first = await startOf(shell, { count: 1 })
      expect([first.entered, first.starts]).toEqual([true, 'a 0 0 0 1'])
      // The record survives a hang at the first access to the slot.
      const hangs = SCRIPT.replace('  find_slot\n', '  exit 77\n')
      expect((await startOf(shell, { count: 1, script: hangs })).starts).toBe('a 0 0 0 1')
    })

    it.each<[string, string, number, string]>([
      ['a start that the machine reset', 'a 0 0 0 4', 5, 'a 1 0 0 5'],
      ['another start that the machine reset', 'a 1 1 0 5', 6, 'a 2 1 0 6'],
      ['no start that lost its power', 'a 1 0 0 5', 1, 'a 1 0 0 1'],
      ["no start if the firmware's count may be a coincidence", 'a 1 0 0 0', 1, 'a 1 0 0 1'],
      ['no start if the machine was reset more than once since', 'a 0 0 0 3', 5, 'a 0 0 0 5'],
      ['no start if the firmware does not count', 'a 1 0 0 0', 0, 'a 1 0 0 0'],
      ['no start that ended', 'a 1 0 0 ended', 6, 'a 1 0 0 6'],
      ['no start of the other slot', 'b 2 1 0 5', 6, 'a 0 0 0 6'],
      ['no start that a damaged line describes', 'a x 0 0 5', 6, 'a 0 0 0 6'],
    ])('counts %s', async (_what, before, count, after) => {
      const { starts, entered, armed } = await startOf(shell, { count, record: { ...COMMITTED, starts: before } })
      expect([starts, entered, armed]).toEqual([after, true, '0'])
    })

    it('does not count a trial or a start while the other slot is committed', async () => {
      const record = { ...COMMITTED, starts: 'a 0 0 0 4' }
      expect((await startOf(shell, { count: 5, record, tryboot: 1 })).starts).toBe('a 0 0 0 4')
      expect((await startOf(shell, { count: 5, record: { ...record, committed: 'b' } })).starts).toBe('a 0 0 0 4')
    })

    it("boots the other slot on trial after three failed starts in a row, with today's data", async () => {
      const record = { ...COMMITTED, starts: 'a 2 0 0 6', starts_reason: BY_ITSELF }
      const ran = await startOf(shell, { count: 7, record })
      expect([ran.code, ran.entered, ran.armed, ran.starts]).toEqual([99, false, '1', 'a 3 0 1 7'])
      const reason = `slot a failed at 3 starts in a row: ${BY_ITSELF}`
      expect(ran.record).toMatchObject({ kind: 'rescue', phase: 'armed', slot: 'b', data: 'snapshot', commit: 'local' })
      expect(ran.record).toMatchObject({ committed: 'a', reason, starts_reason: reason })
      expect(ran.said).toContain(`${reason}\n`)
    })

    it.each<[string, RecordText]>([
      ['was never committed', { previously_committed: HASH }],
      ['holds an update that was not committed', { kind: 'update', slot: 'b', phase: 'reverted' }],
      ['was left before, because it failed', { starts_left: 'b' }],
      ['fails too', { starts_stays: 'slot b fails too: a panic' }],
    ])('does not boot the other slot if it %s', async (_why, more) => {
      const record = { ...COMMITTED, starts: 'a 2 0 0 6', ...more }
      const { entered, armed, starts } = await startOf(shell, { count: 7, record })
      expect([entered, armed, starts]).toEqual([true, '0', 'a 3 0 0 7'])
    })

    it('continues with the committed slot if the firmware does not confirm the trial flag', async () => {
      const script = SCRIPT.replace(/\nmain\n$/, '\ntryboot_set() { false; }\nmain\n')
      const { entered, record } = await startOf(shell, {
        count: 7,
        record: { ...COMMITTED, starts: 'a 2 0 0 6' },
        script,
      })
      expect([entered, record?.phase]).toEqual([true, 'reverted'])
      expect(record?.starts_stays).toContain('the firmware does not confirm the trial flag')
    })
  },
  SHELLS,
)

describeOnShells(
  'the initramfs after a trial of the other slot that was not committed',
  (shell) => {
    const TRIED = {
      ...COMMITTED,
      kind: 'rescue',
      slot: 'b',
      phase: 'trial',
      starts: 'a 3 0 1 7',
      reason: 'slot a failed',
    }

    it.each<[string, number, string]>([
      ['recorded why', 1, 'not committed within 300 seconds: no gateway'],
      ['was reset', 9, 'slot a failed at 3 starts in a row'],
      ['was reset while it waited', 9, 'last seen: no gateway;'],
    ])('stays on the committed slot if the trial %s', async (_what, count, reason) => {
      const { entered, armed, record, said } = await startOf(shell, { count, record: { ...TRIED, reason } })
      expect([entered, armed, record?.phase]).toEqual([true, '0', 'reverted'])
      expect(record?.starts_stays).toMatch(/^slot b fails too: (not committed|it restarted by itself)/)
      expect(said).toContain('slot a stays although it fails: slot b fails too')
    })

    it('tries the other slot again if the trial may have lost its power, and three times at most', async () => {
      const again = await startOf(shell, { count: 1, record: TRIED })
      expect([again.code, again.armed, again.starts]).toEqual([99, '1', 'a 3 0 2 1'])
      const third = await startOf(shell, { count: 1, record: { ...TRIED, starts: 'a 3 0 3 7' } })
      expect([third.entered, third.armed, third.record?.starts_stays]).toEqual([
        ...[true, '0', '3 trials of slot b ended before it was healthy'],
      ])
    })
  },
  SHELLS,
)
