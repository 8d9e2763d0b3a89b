import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { HostPlan } from '../../../builder/host-plan.ts'
import { UserError } from '../../../errors.ts'
import { pi } from '../../../hosts/platforms/pi/pi.ts'
import { type ImageContext, planWith, platform } from '../../../hosts/platforms/platform.ts'
import { PLATFORMS } from '../../../hosts/platforms/registry.ts'
import { parseHost } from '../../../hosts/schema/host.ts'
import { parseHostName } from '../../../images/names.ts'
import { DEFAULT_FACTS } from '../../../overlays/lab-facts.ts'
import { planAlone, testHost } from '../../helpers/host.ts'

/** An OpenWRT router: it has no services, slots or Debian packages. Its configuration is UCI. */
const router = platform({
  name: 'fake-openwrt',
  boards: ['fake-router'],
  deviceSources: [],
  schema: z.strictObject({
    name: z.string(),
    board: z.literal('fake-router'),
    lan: z.ipv4(),
    wifi: z.strictObject({ ssid: z.string(), channel: z.number().int() }),
    packages: z.array(z.string()).default(['luci']),
  }),
  inLab: (declared) => declared,
  labHost: ({ name }) => ({ name: parseHostName(name), addresses: [], offers: [] }),
  render: (host) => ({
    host,
    uci: [`set network.lan.ipaddr='${host.lan}'`, `set wireless.radio0.channel='${host.wifi.channel}'`],
  }),
  check: ({ host }) => {
    if (host.wifi.channel <= 13) return
    throw new UserError('host', `${host.name}: channel ${host.wifi.channel} does not exist, wanted 1 to 13`)
  },
  budget: () => ({
    memory: { total: 0, services: 0, reserve: 0 },
    cores: { total: 0, services: 0 },
    disk: { total: 0, slot: 0, data: 0 },
    ports: [],
  }),
  inputs: () => [],
  image: ({ host, uci }, { time }) => ({ firmware: { packages: host.packages, uci }, serial: time }),
})

const FILE = { name: 'apollo', board: 'fake-router', lan: '192.0.2.1', wifi: { ssid: 'lab', channel: 6 } }
const parsed = (changes: object = {}) => parseHost({ ...FILE, ...changes }, [...PLATFORMS, router])
const LAB = { facts: DEFAULT_FACTS, hosts: [] }
const planned = (changes: object = {}) => planWith(router, router.schema.parse({ ...FILE, ...changes }), LAB)

const CONTEXT: ImageContext = {
  builder: 'amd64',
  ...{ steps: {}, deviceFiles: {}, sshKeys: [], signingKeys: [] },
  locked: () => [],
  time: 1_700_000_000,
}

describe('a second platform', () => {
  it('a second platform parses the host files of its boards with its own schema', () => {
    expect(parsed()).toEqual({ ...FILE, packages: ['luci'] })
  })

  it('a second platform reports unknown keys like every platform', () => {
    expect(() => parsed({ wifi: { ...FILE.wifi, chanel: 6 } })).toThrow(
      expect.objectContaining({
        message: "hosts/apollo.ts: unknown key 'wifi.chanel'",
        hint: "did you mean 'channel'? allowed here: ssid, channel",
      }),
    )
    expect(() => parsed({ slotSize: '8 GiB' })).toThrow("hosts/apollo.ts: unknown key 'slotSize'")
  })

  it('a second platform adds its boards to the supported boards', () => {
    expect(() => parsed({ board: 'toaster' })).toThrow(
      expect.objectContaining({ hint: 'supported boards: raspberry-pi-5, fake-router' }),
    )
  })

  it('a second platform refuses hosts with its own checks', () => {
    expect(() => planned({ wifi: { ssid: 'lab', channel: 14 } })).toThrow('apollo: channel 14 does not exist')
  })

  it('a second platform plans an image of its own kind, without Debian packages', () => {
    const plan = planned()
    expect(plan).toMatchObject({ platform: 'fake-openwrt', name: 'apollo' })
    expect(plan.requests('arm64')).toEqual([])
    expect(plan.image(CONTEXT)).toEqual({
      firmware: {
        packages: ['luci'],
        uci: ["set network.lan.ipaddr='192.0.2.1'", "set wireless.radio0.channel='6'"],
      },
      serial: 1_700_000_000,
    })
  })
})

describe('planWith', () => {
  it('renders a host only once for its checks, inputs and image', () => {
    let count = 0
    const counted = {
      ...router,
      render: (host: Parameters<typeof router.render>[0]) => {
        count += 1
        return router.render(host, LAB)
      },
    }
    const plan = planWith(counted, router.schema.parse(FILE), LAB)
    plan.requests('amd64')
    plan.image(CONTEXT)
    expect(count).toBe(1)
  })

  it("returns the builder's view of a Pi", () => {
    const plan: HostPlan = planAlone(testHost())
    expect(plan).toMatchObject({ platform: 'pi', name: 'tiny' })
    expect(plan.requests('arm64').map((each) => Object.keys(each))).toContainEqual(['set', 'architecture'])
  })
})

describe('the registry of platforms', () => {
  it('the registry has one platform for each board', () => {
    const boards = PLATFORMS.flatMap((each) => each.boards)
    expect(new Set(boards).size).toBe(boards.length)
  })

  it('the registry has platform names without duplicates', () => {
    expect(new Set(PLATFORMS.map(({ name }) => name)).size).toBe(PLATFORMS.length)
    expect(PLATFORMS).toContain(pi)
  })
})
