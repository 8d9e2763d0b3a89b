import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { RECORD_PLACES, type RecordText, recordBlock } from '../../../helpers/agent-record.ts'
import { describeOnShells, type FakeDevice, type Shell } from '../../../helpers/fake-device.ts'
import { newMachine, SCRIPT, SHELLS, waits } from '../../../helpers/fake-initramfs.ts'

const ARMED = 'sys/module/hangar_tryboot/parameters/armed'

/** A machine whose two slots do not verify. Both have a boot file system, and the trial flag is not set. */
async function cannotStart(shell: Shell, firmware: Readonly<Record<string, number>>, record?: RecordText) {
  const machine = await newMachine(shell, { good: [], firmware })
  for (const name of ['mmcblk0p2', 'mmcblk0p3']) machine.device.write(`dev/${name}`, 'a boot file system')
  machine.device.write(ARMED, '0\n')
  if (record !== undefined) remember(machine.device, record)
  return { ...machine, armed: () => machine.device.read(ARMED).trim() }
}

function remember(device: FakeDevice, record: RecordText): void {
  const path = device.path('dev/mmcblk0p4')
  const bytes = readFileSync(path)
  bytes.set(recordBlock(7, record), RECORD_PLACES[0])
  writeFileSync(path, bytes)
}

describeOnShells(
  'a committed slot that cannot start',
  (shell) => {
    it.each([
      [2, 'a', 'b'],
      [3, 'b', 'a'],
    ])('a slot that cannot start arms the other one: started from partition %d', async (partition, mine, other) => {
      const { start, armed } = await cannotStart(shell, { partition })
      const { record, said, code } = start()
      expect([code, armed()]).toEqual([99, '1'])
      expect(said).toContain(`slot ${other} boots next, on trial`)
      expect(record).toMatchObject({ phase: 'armed', kind: 'rescue', slot: other, committed: mine, commit: 'local' })
      expect(record?.reason).toContain(`slot ${mine} cannot start: neither slot of mmcblk0 verifies`)
    })

    it.each(['armed', 'trial'])('tries a slot that was %s again, three times at most', async (phase) => {
      const tried = { phase, kind: 'rescue', slot: 'b', committed: 'a', starts: 'a 0 0 1 0' }
      const { device, start, armed } = await cannotStart(shell, { partition: 2 }, tried)
      for (const count of [2, 3]) {
        expect([start().record?.starts, armed()]).toEqual([`a 0 0 ${count} 0`, '1'])
        device.write(ARMED, '0\n')
      }
      const { record, said } = start()
      expect([record?.phase, armed()]).toEqual(['reverted', '0'])
      expect(said).toContain('slot b was tried 3 times and not committed: slot a stays')
    })

    it('does not boot the other slot without a record of its trial', async () => {
      const { device, start, armed } = await cannotStart(shell, { partition: 2 })
      device.fake('dd', 'case "$*" in *of=*) exit 1 ;; esac; PATH=$REAL_PATH exec dd "$@"')
      expect([start().said, armed()]).toEqual([expect.stringContaining('cannot write the record'), '0'])
    })

    it('writes the record before the trial flag, and logs a flag that the firmware does not confirm', async () => {
      const { device, start } = await cannotStart(shell, { partition: 2 })
      rmSync(device.path('sys/module'), { recursive: true })
      const { record, said } = start()
      expect(record).toMatchObject({ phase: 'armed', kind: 'rescue' })
      expect(said).toContain('cannot boot slot b: the firmware does not confirm the trial flag')
    })

    it('does not try an unbootable slot', async () => {
      const { device, start, armed } = await cannotStart(shell, { partition: 2 })
      device.write('dev/mmcblk0p3', new Uint8Array(512))
      expect([start().record?.phase, armed()]).toEqual([undefined, '0'])
    })

    it('tries no slot if the firmware names no boot partition', async () => {
      const { start, armed } = await cannotStart(shell, {})
      expect([start().record, armed()]).toEqual([undefined, '0'])
    })
  },
  SHELLS,
)

describeOnShells(
  'a trial that cannot start',
  (shell) => {
    it('a trial that cannot start arms no other slot, and records the reason', async () => {
      const given = { phase: 'armed', kind: 'update', id: 'one', slot: 'b' }
      const { start, armed } = await cannotStart(shell, { partition: 3, tryboot: 1 }, given)
      const { record, code } = start()
      expect([code, armed()]).toEqual([99, '0'])
      expect(record).toMatchObject({ ...given, reason: expect.stringContaining('it cannot start: neither slot') })
    })

    it('a trial that cannot start does not change the record of another trial', async () => {
      const given = { phase: 'committed', kind: 'update', id: 'one', slot: 'a' }
      const { start } = await cannotStart(shell, { partition: 3, tryboot: 1 }, given)
      expect(start().record).toEqual(given)
    })
  },
  SHELLS,
)

describeOnShells(
  "a trial's deadline",
  (shell) => {
    /** Runs a trial. `body` runs at each step of 5 seconds. */
    async function trial(body = '', { tryboot = 1, script = SCRIPT } = {}) {
      const machine = { firmware: { partition: 2, tryboot }, watchdog: 'none' } as const
      const { device, start } = await newMachine(shell, machine)
      device.fake('pause', waits(`cd "$FAKE_ROOT/run/hangar"\n${body}`))
      const { entered, said } = start(script)
      const steps = device.read('steps').length
      return { entered, said, steps, asked: device.read('proc/sysrq-trigger') }
    }

    it('the initramfs reboots the machine after the default deadline if the trial sets none', async () => {
      const { entered, said, steps, asked } = await trial()
      expect([entered, steps, asked]).toEqual([true, 120, 's\nb\n'])
      expect(said).toContain('the trial did not commit before its deadline')
    })

    it("the deadline of the initramfs is a minute after the trial's own deadline", async () => {
      expect(await trial('echo 100 >deadline')).toMatchObject({ steps: 32, asked: 's\nb\n' })
    })

    it('a trial may set a later deadline than the default', async () => {
      expect(await trial('echo 1500 >deadline')).toMatchObject({ steps: 312, asked: 's\nb\n' })
    })

    it('a commit cancels the deadline of the initramfs', async () => {
      expect(await trial('[ "$step" -lt 3 ] || : >committed')).toMatchObject({ steps: 3, asked: '' })
    })

    it('the deadline does not apply without a trial', async () => {
      expect(await trial('', { tryboot: 0 })).toMatchObject({ entered: true, steps: 0, asked: '' })
    })

    it("the machine does not reboot without the deadline's process (negative control)", async () => {
      const without = SCRIPT.replace(/^ {2}enforce_trial_deadline$/m, '  :')
      expect(await trial('', { script: without })).toMatchObject({ steps: 0, asked: '' })
    })

    it('the deadline starts before any step that can hang', async () => {
      const text = SCRIPT.slice(SCRIPT.indexOf('main() {'))
      const place = (word: string) => text.indexOf(`  ${word}\n`)
      expect(place('enforce_trial_deadline')).toBeGreaterThan(0)
      for (const later of ['load_modules', 'find_disk', 'find_slot', 'mount_layers'])
        expect(place('enforce_trial_deadline')).toBeLessThan(place(later))
    })
  },
  SHELLS,
)

describeOnShells(
  'the watchdog',
  (shell) => {
    it('the initramfs feeds the watchdog for at most 75 seconds, so that a hang before systemd ends in a reboot', async () => {
      const { device, start } = await newMachine(shell)
      device.fake('pause', waits())
      const { calls } = start()
      expect(device.read('steps')).toHaveLength(15)
      expect(calls.filter((call) => /^kill -9 \d+$/.test(call))).toHaveLength(1)
    })
  },
  SHELLS,
)
