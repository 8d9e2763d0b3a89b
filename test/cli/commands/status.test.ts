import { describe, expect, it } from 'vitest'
import { type StatusOutput, statusOutput } from '../../../cli/commands/status.ts'
import type { Connect } from '../../../flash/controller.ts'
import { readStatuses } from '../../../flash/host-status.ts'
import type { DeviceStatus } from '../../../flash/ssh/status.ts'
import { piTarget } from '../../../flash/targets/pi/target.ts'
import { driverOf } from '../../../flash/targets/registry.ts'
import { FakeHost } from '../../helpers/fake-agent.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { listProgress } from '../../helpers/progress-list.ts'
import { OWNER } from '../../helpers/update-bench.ts'
import { updateImage } from '../../helpers/update-image.ts'

const IMAGE = updateImage({ name: 'old' })
const ROOT = IMAGE.manifest.slot.root
const AT = { address: '10.0.10.11', port: 22 }
const TOOLS = {
  owner: OWNER,
  progress: listProgress(),
  compress: (source: AsyncIterable<Uint8Array>) => source,
  newId: () => 'x',
}

async function show(change: Partial<DeviceStatus>, how: Partial<StatusOutput> = {}) {
  const clock = new FakeClock()
  const host = new FakeHost(clock, IMAGE)
  host.statusOverrides = change
  const connect: Connect = (_target, use) => use(piTarget({ ...TOOLS, clock, remote: host }))
  const generations = () => new Map([[ROOT as string, { number: 7, built: '2026-11-24T04:15:00Z' }]])
  const targets = [{ host: 'adama', at: AT, hostKeys: [], driver: driverOf('raspberry-pi-5') }]
  return statusOutput(await readStatuses({ targets, connect }), generations, { asked: 'one', format: 'text', ...how })
}

const REVERTED: DeviceStatus['update'] = {
  ...({ id: 'x', kind: 'update', slot: 'b', root: 'ab'.repeat(32), phase: 'reverted', data: 'snapshot' } as const),
  ...({ commit: 'controller', reason: 'service mosquitto is not healthy: failed' } as const),
}

describe('the status of one host', () => {
  it('shows the running image, both slots, data, clock, firmware and the last update', async () => {
    const lines = (await show({})).split('\n')
    expect(lines[0]).toMatch(/^adama: slot a runs generation 7 \(.{12}\), committed, (un)?healthy$/)
    expect(lines[3]).toMatch(/^ {2}a +generation 7 \(.{12}\) +2026-11-24 04:15 UTC +2026-.* \/ 1 +running, committed$/)
    expect(lines[4]).toMatch(/^ {2}b +- +- +- +empty$/)
    const text = lines.join('\n')
    expect(text).toMatch(/booted +2026-.* UTC, 1 min 0 s ago/)
    expect(text).toMatch(/data +2.0 GB of 40 GB used/)
    expect(text).toMatch(/clock +2026-.* UTC, from a time server/)
    expect(text).toMatch(/EEPROM +2026-05-28 \(8ba17717\)/)
    expect(text).toMatch(/last +no update since the disk was written/)
  })

  it('names the reason for the last revert', async () => {
    const text = await show({ update: REVERTED })
    expect(text).toContain('update of slot b (root abababababab): reverted: service mosquitto is not healthy: failed')
    expect(text).toContain('adama: the last update, of slot b, was reverted: service mosquitto is not healthy: failed')
  })

  it('names the slot on trial and the reason why it is unhealthy', async () => {
    const text = await show({
      state: 'trial',
      committed: 'b',
      health: { state: 'unhealthy', reasons: ['x waits'] },
    })
    expect(text).toMatch(/ {2}a .* running, on trial/)
    expect(text).toContain('unhealthy: x waits')
  })

  it('names the services that wait for a missing device, on a healthy host', async () => {
    const waiting = ['service zigbee2mqtt waits for its device /dev/serial/by-id/usb-stick']
    const text = await show({ health: { state: 'healthy', waiting } })
    expect(text).toContain(', committed, healthy\n')
    expect(text.split('\n')).toContain(`adama: ${waiting[0]}`)
  })

  it.each<[DeviceStatus['starts'], string]>([
    [{ state: 'failing', failed: 2, reason: 'a panic' }, 'adama: 2 starts of slot a in a row failed: a panic'],
    [
      { state: 'left', slot: 'b', reason: 'slot b failed at 3 starts in a row: a panic' },
      'adama: slot a took the place of slot b: slot b failed at 3 starts in a row: a panic; to install a repaired image: npm run flash adama',
    ],
    [
      { state: 'stays', stays: 'slot b fails too: a hang', reason: '' },
      'adama: both slots fail, and slot a stays: slot b fails too: a hang; the host gives no reason; to install a repaired image: npm run flash adama',
    ],
  ])('reports starts that failed: %j', async (starts, line) => {
    expect((await show({ starts })).split('\n')).toContain(line)
  })

  it('says nothing about starts that ended well, or that an older host does not count', async () => {
    for (const starts of [{ state: 'normal' } as const, undefined])
      expect(await show({ starts })).not.toMatch(/starts|took the place/)
  })

  it('reports a missing time server and an unusable data volume', async () => {
    const text = await show({ clock: { now: 1, source: 'saved' }, data: { state: 'failed', reason: 'blank' } })
    expect(text).toContain('from the saved time; no time server has answered')
    expect(text).toContain('adama: the data volume cannot be used: blank')
  })
})

describe('the status of all hosts', () => {
  it('prints one line for each host, then a sentence for each problem', async () => {
    const lines = (await show({ update: REVERTED }, { asked: 'all' })).split('\n')
    expect(lines[1]).toMatch(/^adama +7 \(.{12}\) +a +committed/)
    expect(lines.join()).toContain('was reverted: service mosquitto')
  })

  it('prints the complete status as JSON', async () => {
    const [host] = JSON.parse(await show({}, { asked: 'all', format: 'json' }))
    expect(host).toMatchObject({
      host: 'adama',
      reachable: true,
      generations: { a: { number: 7, built: expect.stringMatching(/^\d{4}-/) }, b: null },
      status: { root: ROOT },
    })
  })
})
