import { describe, expect, it } from 'vitest'
import { planText } from '../../../../cli/text/plan.ts'
import { Agent } from '../../../../flash/ssh/agent.ts'
import type { DeviceStatus } from '../../../../flash/ssh/status.ts'
import { planUpdate, stepsAfterBegin } from '../../../../flash/targets/pi/plan.ts'
import { OLDEST_FIRMWARE } from '../../../../flash/targets/pi/refusals.ts'
import { describeStep, isWriting } from '../../../../flash/targets/pi/step.ts'
import { digestOf } from '../../../../images/digest.ts'
import { manifestText } from '../../../../images/manifest.ts'
import { FakeHost } from '../../../helpers/fake-agent.ts'
import { FakeClock } from '../../../helpers/fake-clock.ts'
import { OWNER, UPDATE } from '../../../helpers/update-bench.ts'
import { updateImage } from '../../../helpers/update-image.ts'

const OLD = updateImage({ name: 'old' })
const NEW = updateImage({ name: 'new' })
const WANTED = {
  manifest: NEW.manifest,
  manifestDigest: digestOf(manifestText(NEW.manifest)),
  bootSize: NEW.boot.length,
}
const status = await new Agent(new FakeHost(new FakeClock(), OLD), OWNER).status()
const BOTH = { a: status.slots.a, b: status.slots.a }

const refusal = (change: Partial<DeviceStatus>, wanted = WANTED, goal = UPDATE) => {
  try {
    planUpdate({ ...status, ...change }, wanted, goal)
  } catch (error) {
    return { message: (error as Error).message, hint: (error as { hint?: string }).hint ?? '' }
  }
  return undefined
}
const wanting = (manifest: Partial<typeof NEW.manifest>) => ({ ...WANTED, manifest: { ...NEW.manifest, ...manifest } })

describe('planUpdate', () => {
  it('orders the steps: write, verify, try, commit', () => {
    expect(planUpdate(status, WANTED, UPDATE).map(({ kind }) => kind)).toEqual([
      ...['begin', 'tree', 'blocks', 'blocks', 'finish', 'arm', 'restart', 'health', 'commit', 'confirm'],
    ])
  })

  it('plans no steps if the host runs the image and has committed it, at any serial', () => {
    const running = { root: NEW.manifest.slot.root, trust: { ...status.trust, serial: { time: 9e9, number: 1 } } }
    expect(planUpdate({ ...status, ...running }, WANTED, UPDATE)).toEqual([])
  })

  it('plans an update if only the boot files differ', () => {
    const slotA = (manifest: string) =>
      ({ state: 'bootable', root: NEW.manifest.slot.root, serial: NEW.manifest.serial, manifest }) as const
    const running = (manifest: string) => ({
      ...{ ...status, root: NEW.manifest.slot.root },
      slots: { ...status.slots, a: slotA(manifest) },
    })
    expect(planUpdate(running(WANTED.manifestDigest), WANTED, UPDATE)).toEqual([])
    expect(planUpdate(running('0'.repeat(64)), WANTED, UPDATE)).not.toEqual([])
  })

  it('plans no trial if the goal is to stage', () => {
    expect(planUpdate(status, WANTED, { ...UPDATE, kind: 'stage' }).at(-1)).toEqual({ kind: 'release', slot: 'b' })
  })

  it('skips the write if the inactive slot holds the image, unless the host reports missing blocks', () => {
    const b = { state: 'bootable', root: NEW.manifest.slot.root, serial: NEW.manifest.serial } as const
    const plan = planUpdate({ ...status, slots: { ...status.slots, b } }, WANTED, UPDATE)
    expect(plan.some(isWriting)).toBe(false)
    expect(stepsAfterBegin(plan, 'begun', WANTED, UPDATE).filter(isWriting)).toHaveLength(4)
    expect(stepsAfterBegin(planUpdate(status, WANTED, UPDATE), 'written', WANTED, UPDATE).some(isWriting)).toBe(false)
  })

  it('prints one line for each step, then the bytes to send and the restarts', () => {
    const lines = planText('adama', planUpdate(status, WANTED, UPDATE).map(describeStep)).split('\n')
    expect(lines[1]).toBe(
      '  1. begin slot b: the host checks the signature and makes the slot unbootable, unless the slot already holds this image',
    )
    expect(lines.at(-1)).toBe('sends at most 1.4 MB before compression; one restart')
    expect(planText('adama', [])).toBe('adama: nothing to do, the host runs this image')
  })
})

describe('planUpdate, for a status of the host,', () => {
  it('accepts an image for a host that is ready', () => {
    expect(refusal({})).toBeUndefined()
  })

  it.each([
    ['another host', { host: 'starbuck' }, "the image is for host 'adama', but the device reports host 'starbuck'"],
    ['another board', { board: 'other' }, "the image is for board 'raspberry-pi-5'"],
    ['another layout', { layout: 2 }, "the image is for disk layout '1', but the device reports disk layout '2'"],
    ['a trial', { state: 'trial' }, "'adama' runs slot a on trial, and the trial has not ended"],
    ['a fallback boot', { state: 'fallback', committed: 'b', slots: BOTH }, 'as a fallback boot: slot b is committed'],
    ['a committed slot without an image', { state: 'fallback', committed: 'b' }, 'the committed slot b is empty'],
    ['a damaged selector', { committed: 'damaged' }, 'its selector (autoboot.txt) is damaged'],
    [
      'a lock of another controller',
      { lock: { owner: 'you@there:x', age: 30 } },
      "'you@there:x' updates 'adama': its last call was 30 s ago",
    ],
    ['a slot that is too small', { slotSize: 4096 }, "a slot of 'adama' has 4096"],
  ] as const)('refuses an image because of %s', (_what, change, said) => {
    const refused = refusal(change as Partial<DeviceStatus>)
    expect(refused?.message).toContain(said)
    expect(refused?.hint).not.toBe('')
  })

  it('refuses an EEPROM that is one second too old, and explains how to update it', () => {
    const firmware = (time: number) => ({ firmware: { version: 'abc', time } })
    expect(refusal(firmware(OLDEST_FIRMWARE))).toBeUndefined()
    const refused = refusal(firmware(OLDEST_FIRMWARE - 1))
    expect(refused?.message).toContain('is from 2025-11-04 (abc), wanted 2025-11-05 or newer')
    expect(refused?.hint).toContain('Raspberry Pi Imager')
  })

  it('refuses to update after a fallback boot, and gives a repair in case a reboot does not help', () => {
    const hint = (status: Parameters<typeof refusal>[0]) => refusal(status)?.hint
    expect(hint({ state: 'fallback', committed: 'b', slots: BOTH })).toMatch(
      /^reboot it: .*\. If 'adama' boots slot a again, replace slot b by slot a, .*of=\/dev\/disk\/by-partlabel\/boot-b /,
    )
    expect(hint({ committed: 'damaged' })).toMatch(/^reboot it: .*every boot repairs the selector/)
    expect(hint({ committed: 'damaged' })).not.toContain('replace slot')
  })

  it('refuses a smaller serial without --allow-downgrade', () => {
    const older = wanting({ serial: { time: 0, number: 9 } })
    expect(refusal({}, older)?.message).toContain("serial 0.9 is smaller than the committed serial of 'adama', 1.1")
    expect(refusal({}, wanting({ serial: { time: 1, number: 0 } }))).toBeDefined()
    expect(refusal({}, wanting({ serial: { time: 1, number: 1 } }))).toBeUndefined()
    expect(refusal({}, older, { ...UPDATE, downgrade: 'allowed' })).toBeUndefined()
  })

  it('refuses an unsigned image', () => {
    expect(refusal({}, wanting({ signature: 'unsigned' }))?.message).toContain('is unsigned')
  })

  it('accepts an image although the host has a lock of this controller or an expired lock', () => {
    expect(refusal({ lock: { owner: OWNER, age: 3 } })).toBeUndefined()
    expect(refusal({ lock: { owner: 'you@there:x', age: 600 } })).toBeUndefined()
  })
})
