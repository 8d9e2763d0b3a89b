import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BLOCK } from '../../images/layout.ts'
import type { FakeHost } from '../helpers/fake-agent.ts'
import { rejection } from '../helpers/rejection.ts'
import { updateBench } from '../helpers/update-bench.ts'
import { updateImage } from '../helpers/update-image.ts'

/** Calls `what` immediately before the update sends blocks of the slot for the n-th time. */
function beforeSend(host: FakeHost, nth: number, what: () => void): void {
  const call = host.call.bind(host)
  let sends = 0
  host.call = async (words, options) => {
    if (words.slice(0, 2).join(' ') === 'write blocks' && words.at(-1) === 'slot' && ++sends === nth) what()
    return call(words, options)
  }
}

describe('an update', () => {
  it('an update writes the inactive slot, boots it on trial, and commits it when it is healthy', async () => {
    const { host, next, progress, run } = await updateBench()
    const updated = await run()
    expect(updated).toMatchObject({ kind: 'updated', slot: 'b', root: next.manifest.slot.root })
    expect({ running: host.running, committed: host.committed, phase: host.update?.phase }).toEqual({
      ...{ running: 'b', committed: 'b', phase: 'committed' },
    })
    expect(host.slots.b.slot.bytes.equals(next.slot.subarray(0, 300 * BLOCK))).toBe(true)
    expect(host.slots.b.boot.bytes.equals(next.boot)).toBe(true)
    expect(host.slots.a.state).toBe('bootable')
    expect(progress.ended).toEqual([
      ...['ask adama', 'begin slot b', 'send the hash tree', 'compare the slot', 'send the slot', 'compare the slot'],
      ...['compare the boot', 'send the boot', 'compare the boot', 'verify slot b', 'arm a trial of slot b'],
      ...['restart into slot b', 'wait for health', 'commit slot b', 'read back'],
    ])
  })

  it('an update makes the slot bootable last, and arms the trial only after that', async () => {
    const { host, run } = await updateBench()
    await run()
    const order = ['write begin', 'write blocks slot', 'write blocks boot', 'write finish', 'arm', 'reboot', 'commit']
    const at = order.map((call) => host.calls.lastIndexOf(call))
    expect(at).toEqual([...at].sort((a, b) => a - b))
    expect(at).not.toContain(-1)
    expect(host.calls.filter((call) => call === 'commit')).toHaveLength(1)
  })

  it('an update returns its duration, the downtime of services, and the bytes that were sent', async () => {
    const { run, progress } = await updateBench()
    const updated = await run()
    if (updated.kind !== 'updated') throw new Error(updated.kind)
    expect(updated.downtime).toBeGreaterThan(30)
    expect(updated.downtime).toBeLessThan(60)
    expect(updated.total).toBeGreaterThanOrEqual(updated.downtime)
    expect(updated.times.map(({ name }) => name)).toContain('restart into slot b')
    // Every third block of the boot file system is empty, as it is on the host.
    const bootBlocks = 39 - 13
    expect(progress.bytes.get('send the slot')).toEqual({ advanced: 300 * BLOCK, total: 300 * BLOCK })
    expect(progress.bytes.get('send the boot')).toEqual({ advanced: bootBlocks * BLOCK, total: bootBlocks * BLOCK })
    // The hash tree has four blocks: three of leaves and one above them.
    expect(updated.sent).toBeGreaterThan((300 + bootBlocks + 4) * BLOCK)
    expect(updated.sent).toBeLessThan((300 + bootBlocks + 5) * BLOCK)
  })

  it('an update sends only the blocks that the slot lacks', async () => {
    const { host, old, next, progress, run } = await updateBench()
    const slot = Buffer.from(next.slot)
    slot.set(old.slot.subarray(0, 5 * BLOCK), 100 * BLOCK)
    host.slots.b.fill(old.manifest, slot, next.boot)
    await run()
    expect(progress.bytes.get('send the slot')?.total).toBe(5 * BLOCK)
    expect(progress.bytes.has('send the boot')).toBe(false)
    expect(host.committed).toBe('b')
  })

  it('an update with --full sends every block, and verifies the received blocks', async () => {
    const { host, old, next, progress, run } = await updateBench()
    host.slots.b.fill(old.manifest, next.slot, next.boot)
    await run({ transfer: { kind: 'full' } })
    expect(progress.bytes.get('send the slot')?.total).toBe(300 * BLOCK)
    expect(progress.bytes.get('send the boot')?.total).toBe(39 * BLOCK)
    expect(host.calls.indexOf('write missing slot')).toBeGreaterThan(host.calls.indexOf('write blocks slot'))
  })

  it('an update does nothing if the host runs the image', async () => {
    const image = updateImage({ name: 'same' })
    const { host, run } = await updateBench({ old: image, next: image })
    expect(await run()).toEqual({ kind: 'nothing', slot: 'a', root: image.manifest.slot.root })
    expect(host.calls).toEqual(['status'])
  })

  it('an update sends no blocks if the inactive slot already holds the image, but verifies it', async () => {
    const { host, next, progress, run } = await updateBench()
    host.slots.b.fill(next.manifest, next.slot, next.boot)
    expect((await run()).kind).toBe('updated')
    expect(progress.ended).toContain('verify slot b')
    expect(host.calls).not.toContain('write blocks slot')
  })

  it('an update with --stage ends before the trial and releases the lock; the next update starts the trial', async () => {
    const { host, run } = await updateBench()
    expect(await run({ kind: 'stage' })).toMatchObject({ kind: 'staged', slot: 'b' })
    expect({ state: host.slots.b.state, lock: host.lock, boots: host.boots }).toEqual({
      ...{ state: 'bootable', lock: null, boots: 1 },
    })
    host.calls.length = 0
    expect((await run()).kind).toBe('updated')
    expect(host.calls.filter((call) => call.startsWith('write'))).toEqual(['write begin'])
  })
})

describe('a broken connection', () => {
  it('a broken connection during the transfer repeats only the blocks under way', async () => {
    const { host, progress, run } = await updateBench()
    host.faults.cuts.push({ call: 'write blocks slot', after: 12 + 200 * BLOCK + 100 })
    await run()
    expect(progress.ended).toContain('send the slot: failed')
    expect(progress.bytes.get('send the slot')?.total).toBe(100 * BLOCK)
    expect(progress.notices[0]).toContain('Connection reset by peer; trying again in 5 s')
    expect(host.committed).toBe('b')
  })

  it('an update connects again without limit while each attempt brings blocks', async () => {
    const { host, run } = await updateBench()
    for (let times = 0; times < 20; times++) host.faults.cuts.push({ call: 'write blocks slot', after: 12 + 5 * BLOCK })
    expect((await run()).kind).toBe('updated')
    expect(host.calls.filter((call) => call === 'write blocks slot')).toHaveLength(21)
  })

  it('six broken connections without new blocks end the update; the slot is unbootable and the host unchanged', async () => {
    const { host, clock, run } = await updateBench()
    for (let times = 0; times < 20; times++) host.faults.cuts.push({ call: 'write blocks slot', after: 5 })
    expect(await rejection(run())).toMatchObject({ code: 'unreachable' })
    expect(host.calls.filter((call) => call === 'write blocks slot')).toHaveLength(6)
    expect(clock.now()).toBeGreaterThanOrEqual(25_000)
    expect([host.slots.b.state, host.running, host.boots]).toEqual(['unbootable', 'a', 1])
  })

  it.each([
    'write begin',
    'write tree',
    'write missing slot',
    'write missing boot',
    'write finish',
    'arm',
    'reboot',
    'commit',
  ])('a connection that loses the answer to %s does not end the update', async (call) => {
    const { host, run } = await updateBench()
    host.faults.lostAnswers.push(call)
    expect((await run()).kind).toBe('updated')
    expect([host.running, host.committed]).toEqual(['b', 'b'])
  })

  it('a broken connection in the middle of the hash tree does not end the update', async () => {
    const { host, run } = await updateBench()
    host.faults.cuts.push({ call: 'write tree', after: 5000 })
    expect((await run()).kind).toBe('updated')
    expect(host.faults.cuts).toEqual([])
  })

  it('a broken connection after the write of the slot causes no second write when the command is repeated', async () => {
    const { host, run } = await updateBench()
    for (let times = 0; times < 6; times++) host.faults.lostAnswers.push('arm')
    expect(await rejection(run())).toMatchObject({ code: 'unreachable' })
    host.calls.length = 0
    expect((await run()).kind).toBe('updated')
    expect(host.calls).not.toContain('write blocks slot')
  })
})

describe('a disk that does not keep its blocks', () => {
  it('a disk that does not keep its blocks fails the update before the trial', async () => {
    const { host, run } = await updateBench()
    host.slots.b.rotten = 17
    const error = await rejection(run())
    expect(error?.message).toBe("the disk of 'adama' did not keep 1 blocks of the slot; the first is block 17")
    expect([host.slots.b.state, host.calls.includes('arm')]).toEqual(['unbootable', false])
    // The failed update has released the lock, so the next controller need not wait until it expires.
    expect(host.lock).toBeNull()
  })

  it('an update detects a disk that does not keep its blocks although the connection breaks', async () => {
    const { host, run } = await updateBench()
    host.slots.b.rotten = 17
    beforeSend(host, 2, () => host.faults.cuts.push({ call: 'write blocks slot', after: 5 }))
    expect((await rejection(run()))?.message).toContain('did not keep 1 blocks of the slot')
    expect(host.calls.filter((call) => call === 'write blocks slot')).toHaveLength(3)
  })

  it('an update does not blame the disk if a build changed the image meanwhile', async () => {
    const { host, directory, run } = await updateBench()
    const other = updateImage({ name: 'newer' })
    beforeSend(host, 1, () => writeFileSync(join(directory, 'slot.img'), other.slot, { flag: 'r+' }))
    expect(await rejection(run())).toMatchObject({
      message: 'a build changed the image while hangar sent its slot',
      hint: expect.stringContaining('the same command again'),
    })
    expect([host.slots.b.state, host.running, host.boots]).toEqual(['unbootable', 'a', 1])
  })
})
