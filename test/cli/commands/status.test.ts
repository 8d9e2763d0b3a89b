import { describe, expect, it } from 'vitest'
import { statusCommand } from '../../../cli/commands/status.ts'
import type { Connect } from '../../../flash/controller.ts'
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

function asked(change: Partial<DeviceStatus>, how: { asked?: 'one' | 'all'; format?: 'text' | 'json' } = {}) {
  const clock = new FakeClock()
  const host = new FakeHost(clock, IMAGE)
  host.statusOverrides = change
  const connect: Connect = (_target, use) => use(piTarget({ ...TOOLS, clock, remote: host }))
  const generations = () => new Map([[ROOT as string, { number: 7, built: '2026-11-24T04:15:00Z' }]])
  const targets = [{ host: 'adama', at: AT, hostKeys: [], driver: driverOf('raspberry-pi-5') }]
  return statusCommand({ targets, asked: 'one', format: 'text', ...how, connect, generations })
}

const REVERTED: DeviceStatus['update'] = {
  ...({ id: 'x', kind: 'update', slot: 'b', root: 'ab'.repeat(32), phase: 'reverted', data: 'snapshot' } as const),
  ...({ commit: 'controller', reason: 'service mosquitto is not healthy: failed' } as const),
}

describe('the status of one host', () => {
  it('says what runs, what each slot holds and what it stands on', async () => {
    const lines = (await asked({})).split('\n')
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

  it('says why the last update was reverted', async () => {
    const text = await asked({ update: REVERTED })
    expect(text).toContain('update of slot b (root abababababab): reverted: service mosquitto is not healthy: failed')
    expect(text).toContain('adama: the last update, of slot b, was reverted: service mosquitto is not healthy: failed')
  })

  it('says which slot is on trial, and what it waits for', async () => {
    const text = await asked({
      state: 'trial',
      committed: 'b',
      health: { state: 'unhealthy', reasons: ['x waits'] },
    })
    expect(text).toMatch(/ {2}a .* running, on trial/)
    expect(text).toContain('unhealthy: x waits')
  })

  it('says that nobody told it the time, and that its data cannot be used', async () => {
    const text = await asked({ clock: { now: 1, source: 'saved' }, data: { state: 'failed', reason: 'blank' } })
    expect(text).toContain('no time server was heard')
    expect(text).toContain('its data volume cannot be used: blank')
  })
})

describe('the status of all hosts', () => {
  it('is a line each, and what needs a sentence', async () => {
    const lines = (await asked({ update: REVERTED }, { asked: 'all' })).split('\n')
    expect(lines[1]).toMatch(/^adama +7 \(.{12}\) +a +committed/)
    expect(lines.join()).toContain('was reverted: service mosquitto')
  })

  it('is whole for programs', async () => {
    const [host] = JSON.parse(await asked({}, { asked: 'all', format: 'json' }))
    expect(host).toMatchObject({
      host: 'adama',
      reachable: true,
      generations: { a: { number: 7, built: expect.stringMatching(/^\d{4}-/) }, b: null },
      status: { root: ROOT },
    })
  })
})
