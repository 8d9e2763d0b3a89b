import { describe, expect, it } from 'vitest'
import { Agent } from '../../../../flash/ssh/agent.ts'
import type { DeviceStatus } from '../../../../flash/ssh/status.ts'
import { isWriting, planUpdate, stepsAfterBegin } from '../../../../flash/targets/pi/plan.ts'
import { OLDEST_FIRMWARE } from '../../../../flash/targets/pi/refusals.ts'
import { describePlan } from '../../../../flash/targets/pi/step-text.ts'
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

describe('a plan', () => {
  it('writes, verifies, tries and commits, in this order', () => {
    expect(planUpdate(status, WANTED, UPDATE).map(({ kind }) => kind)).toEqual([
      ...['begin', 'tree', 'blocks', 'blocks', 'finish', 'arm', 'restart', 'health', 'commit', 'confirm'],
    ])
  })

  it('is empty where the image runs and is committed, whatever its serial', () => {
    const running = { root: NEW.manifest.slot.root, trust: { ...status.trust, serial: { time: 9e9, number: 1 } } }
    expect(planUpdate({ ...status, ...running }, WANTED, UPDATE)).toEqual([])
  })

  it('is not empty where only the boot files differ', () => {
    const slotA = (manifest: string) =>
      ({ state: 'bootable', root: NEW.manifest.slot.root, serial: NEW.manifest.serial, manifest }) as const
    const running = (manifest: string) => ({
      ...{ ...status, root: NEW.manifest.slot.root },
      slots: { ...status.slots, a: slotA(manifest) },
    })
    expect(planUpdate(running(WANTED.manifestDigest), WANTED, UPDATE)).toEqual([])
    expect(planUpdate(running('0'.repeat(64)), WANTED, UPDATE)).not.toEqual([])
  })

  it('ends before the trial where it is only to be staged', () => {
    expect(planUpdate(status, WANTED, { ...UPDATE, kind: 'stage' }).at(-1)).toEqual({ kind: 'release', slot: 'b' })
  })

  it('writes nothing that the other slot holds, unless the host finds that it does not', () => {
    const b = { state: 'bootable', root: NEW.manifest.slot.root, serial: NEW.manifest.serial } as const
    const plan = planUpdate({ ...status, slots: { ...status.slots, b } }, WANTED, UPDATE)
    expect(plan.some(isWriting)).toBe(false)
    expect(stepsAfterBegin(plan, 'begun', WANTED, UPDATE).filter(isWriting)).toHaveLength(4)
    expect(stepsAfterBegin(planUpdate(status, WANTED, UPDATE), 'written', WANTED, UPDATE).some(isWriting)).toBe(false)
  })

  it('is read by a person', () => {
    const lines = describePlan('adama', planUpdate(status, WANTED, UPDATE)).split('\n')
    expect(lines[1]).toBe(
      '  1. begin slot b: the host checks the signature and makes the slot unbootable, unless it holds this image whole',
    )
    expect(lines.at(-1)).toBe('at most 1.4 MB are sent, before compression; one restart')
    expect(describePlan('adama', [])).toBe('adama: nothing to do, it runs this image')
  })
})

describe('a plan is refused', () => {
  it('not at all for a host that is as it should be', () => {
    expect(refusal({})).toBeUndefined()
  })

  it.each([
    ['another host', { host: 'starbuck' }, "the image is for the host 'adama', what answers as 'starbuck'"],
    ['another board', { board: 'other' }, "the image is for the board 'raspberry-pi-5'"],
    ['another layout', { layout: 2 }, "the image is for the disk layout '1'"],
    ['a trial', { state: 'trial' }, "'adama' tries slot a and has not decided yet"],
    ['a fallback boot', { state: 'fallback', committed: 'b', slots: BOTH }, 'which is not committed: it boots slot b'],
    ['a committed slot that is damaged', { state: 'fallback', committed: 'b' }, 'which is committed, cannot be read'],
    ['a damaged selector', { committed: 'damaged' }, 'its selector is damaged'],
    [
      'a lock',
      { lock: { owner: 'you@there:x', age: 30 } },
      "'you@there:x' updates 'adama', and was last heard 30 s ago",
    ],
    ['a small slot', { slotSize: 4096 }, "a slot of 'adama' 4096"],
  ] as const)('for %s', (_what, change, said) => {
    const refused = refusal(change as Partial<DeviceStatus>)
    expect(refused?.message).toContain(said)
    expect(refused?.hint).not.toBe('')
  })

  it('for an EEPROM that is older by a second, with how to renew it', () => {
    const firmware = (time: number) => ({ firmware: { version: 'abc', time } })
    expect(refusal(firmware(OLDEST_FIRMWARE))).toBeUndefined()
    const refused = refusal(firmware(OLDEST_FIRMWARE - 1))
    expect(refused?.message).toContain('is of 2025-11-04 (abc), wanted 2025-11-05 or newer')
    expect(refused?.hint).toContain('Raspberry Pi Imager')
  })

  it('for a fallback boot with a way out, too, where starting it again does not help', () => {
    const hint = (status: Parameters<typeof refusal>[0]) => refusal(status)?.hint
    expect(hint({ state: 'fallback', committed: 'b', slots: BOTH })).toMatch(
      /start it again, which repairs autoboot\.txt: .*\. If it does not, boot slot a as a fallback, .*of=\/dev\/disk\/by-partlabel\/boot-b /,
    )
    expect(hint({ committed: 'damaged' })).not.toContain('stand in')
  })

  it('for a smaller serial, unless that is asked for', () => {
    const older = wanting({ serial: { time: 0, number: 9 } })
    expect(refusal({}, older)?.message).toContain("serial 0.9 is smaller than what 'adama' has committed, 1.1")
    expect(refusal({}, wanting({ serial: { time: 1, number: 0 } }))).toBeDefined()
    expect(refusal({}, wanting({ serial: { time: 1, number: 1 } }))).toBeUndefined()
    expect(refusal({}, older, { ...UPDATE, downgrade: 'allowed' })).toBeUndefined()
  })

  it('for an unsigned image', () => {
    expect(refusal({}, wanting({ signature: 'unsigned' }))?.message).toContain('is unsigned')
  })

  it('not for a lock of our own, nor for one that was left', () => {
    expect(refusal({ lock: { owner: OWNER, age: 3 } })).toBeUndefined()
    expect(refusal({ lock: { owner: 'you@there:x', age: 600 } })).toBeUndefined()
  })
})
