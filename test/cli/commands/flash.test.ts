import { describe, expect, it } from 'vitest'
import { checkFlashFlags, flash, flashOutput } from '../../../cli/commands/flash.ts'
import { type StatusOutput, statusOutput } from '../../../cli/commands/status.ts'
import { type ErrorCode, UserError } from '../../../errors.ts'
import type { Connect, KnownHost } from '../../../flash/controller.ts'
import { type FlashRequest, flashHosts } from '../../../flash/flash-hosts.ts'
import { readStatuses } from '../../../flash/host-status.ts'
import { driverOf } from '../../../flash/targets/registry.ts'
import { ownKeysText, publicOf } from '../../../images/identity/private-identity.ts'
import { fingerprintOf } from '../../../images/signature/openssh-key.ts'
import { DEFAULT_FACTS } from '../../../overlays/lab-facts.ts'
import { commandContext } from '../../helpers/command-context.ts'
import { IDENTITY, PUBLIC_LINES } from '../../helpers/small-identity.ts'
import { NO_IDENTITY, UPDATE, updateBench } from '../../helpers/update-bench.ts'

const at = { address: '10.0.10.11', port: 22 }
const driver = driverOf('raspberry-pi-5')
const failing = () => Promise.reject(new UserError('unreachable', 'cannot reach it', { hint: 'look' }))

async function commandBench(names: readonly string[] = ['adama']) {
  const bench = await updateBench()
  const built: string[] = []
  const connect: Connect = (known, use) => (known.host === 'adama' ? use(bench.target) : failing())
  const { progress, clock, directory, next } = bench
  const generations = () => new Map([[next.manifest.slot.root as string, { number: 12, built: '2026-11-24' }]])
  const request: Omit<FlashRequest, 'onResult'> = {
    ...{ goal: UPDATE, mode: 'run', connect, progress, clock },
    targets: names.map((host) => ({ host, at, hostKeys: [], driver, output: directory, identity: NO_IDENTITY })),
    build: async (hosts) => void built.push(...hosts),
  }
  const flash = (given: Partial<typeof request> = {}) =>
    flashOutput(
      (onResult) => flashHosts({ ...request, ...given, onResult }),
      generations,
      (text) => progress.notice(text),
    )
  const status = async (targets: readonly KnownHost[], how: Partial<StatusOutput> = {}) =>
    statusOutput(await readStatuses({ targets, connect }), generations, { asked: 'all', format: 'text', ...how })
  return { ...bench, built, request, flash, status }
}

describe('flash', () => {
  it('builds, updates, and prints the result and the command that undoes it', async () => {
    const { built, flash, next } = await commandBench()
    const text = await flash()
    expect(built).toEqual(['adama'])
    expect(text).toContain(
      `adama: slot b runs generation 12 (${next.manifest.slot.root.slice(0, 12)}), healthy and committed; sent 1.4 MB`,
    )
    expect(text).toMatch(/services were down for \d+ s\nundo: npm run revert adama$/)
  })

  it('prints the plan with --dry-run, and changes nothing', async () => {
    const { host, flash } = await commandBench()
    expect(await flash({ mode: 'dry-run' })).toContain('adama: flash would perform these steps')
    expect(host.calls).toEqual(['status'])
  })

  it('sends new keys to a host that already runs the image, and lists them in the plan', async () => {
    const { host, flash, request } = await commandBench()
    await flash()
    host.calls.length = 0
    const identity = { known: publicOf(IDENTITY), open: async () => Buffer.from(ownKeysText(IDENTITY)) }
    const targets = request.targets.map((target) => ({ ...target, identity }))
    expect(await flash({ targets, mode: 'dry-run' })).toContain('1. send the host its keys')
    expect(host.calls).toEqual(['status'])
    expect(await flash({ targets })).toMatch(
      /adama: received its new keys; slot b runs generation 12 \(.*\) and is committed, nothing restarted; sent \d+ B/,
    )
    expect(await flash({ targets })).toContain('adama: nothing to do')
  })

  it('reports the mistakes of all host files, and changes no host', async () => {
    const load = async (name: string) => {
      throw new UserError('host', `hosts/${name}.ts:3: no board`, { hint: 'add it' })
    }
    const context = commandContext({ hosts: { names: () => [], load, lab: async () => DEFAULT_FACTS } })
    await expect(flash.run(context, ['adama', 'apollo'], { build: false })).rejects.toMatchObject({
      code: 'host',
      message: expect.stringMatching(/^2 hosts failed; hangar changed no host\n.*adama\.ts:3.*\n.*\n.*apollo\.ts:3/),
    })
  })

  it('stops at the first host that fails, and names the hosts that it did not try', async () => {
    const { flash, host } = await commandBench(['starbuck', 'adama'])
    await expect(flash()).rejects.toThrow("wanted an image of 'starbuck'; not tried: 'adama'")
    expect(host.calls).toEqual([])
  })

  it('prints the results of earlier hosts as notices when a later host fails', async () => {
    const { flash, progress } = await commandBench(['adama', 'starbuck'])
    await expect(flash()).rejects.toThrow("wanted an image of 'starbuck'")
    expect(progress.notices.join()).toContain('adama: slot b runs generation 12')
  })

  it('refuses flags without an effect', () => {
    const check = (names: string[], flags: object) => () => checkFlashFlags(names, { build: true, ...flags })
    expect(check(['adama'], { disk: '/dev/sda', dryRun: true })).toThrow("cannot combine '--disk' with '--dry-run'")
    expect(check(['adama'], { yes: true })).toThrow("'--yes' needs '--disk'")
    expect(check(['adama', 'starbuck'], { at: '10.0.0.1' })).toThrow("'--at' needs exactly one host, not 2")
    expect(check(['adama'], { build: false, runner: 'local' })).toThrow("cannot combine '--runner' with '--no-build'")
    expect(check(['adama'], { runner: 'local' })).not.toThrow()
    expect(check(['adama'], { disk: '/dev/sda', yes: true })).not.toThrow()
    expect(check(['adama', 'starbuck'], { dryRun: true })).not.toThrow()
  })
})

describe('status', () => {
  const targets = ['adama', 'starbuck'].map((host) => ({ host, at, hostKeys: [], driver }))

  it('shows every host, and succeeds although a host is unreachable', async () => {
    const { status } = await commandBench()
    const text = await status(targets)
    expect(text).toMatch(/^adama +[0-9a-f]{12} +a +committed/m)
    expect(text).toMatch(/^starbuck +unreachable/m)
    expect(text).toContain('starbuck: cannot reach it\n  hint: look')
  })

  it('fails when this machine could ask no host, except as JSON', async () => {
    const failed = (code: ErrorCode, index: number) => ({
      ...{ host: `host-${index}`, reachable: false as const },
      error: new UserError(code, 'cannot start ssh', { hint: 'look' }),
    })
    const show = (format: 'text' | 'json', codes: readonly ErrorCode[]) =>
      statusOutput(codes.map(failed), () => new Map(), { asked: 'all', format })
    await expect(show('text', ['program', 'program'])).rejects.toMatchObject({ code: 'program' })
    expect(await show('text', ['program', 'unreachable'])).toContain('host-1')
    expect(JSON.parse(await show('json', ['program', 'program']))).toHaveLength(2)
  })

  it('shows the SSH key of one host, and the number of former keys', async () => {
    const { host, status } = await commandBench()
    const show = () => status(targets.slice(0, 1), { asked: 'one' })
    expect(await show()).toMatch(/^ {2}SSH key +none$/m)
    host.identity = { ssh: PUBLIC_LINES, age: [] }
    expect(await show()).toContain(`SSH key  ${fingerprintOf(PUBLIC_LINES[0] ?? '')}, and 1 former`)
  })

  it('status fails for a named host that is unreachable, except as JSON', async () => {
    const { status } = await commandBench()
    const show = (format: 'text' | 'json') => status(targets.slice(1), { asked: 'one', format })
    await expect(show('text')).rejects.toThrow('cannot reach it')
    expect(JSON.parse(await show('json'))).toEqual([
      { host: 'starbuck', reachable: false, error: { code: 'unreachable', message: 'cannot reach it', hint: 'look' } },
    ])
  })

  it('shows the numbers of generations, and why an update was reverted', async () => {
    const { host, flash, status } = await commandBench()
    await flash()
    host.update = { ...(host.update as NonNullable<typeof host.update>), phase: 'reverted', reason: 'it hung' }
    const text = await status(targets.slice(0, 1))
    expect(text).toMatch(/^adama +12 \([0-9a-f]{12}\) +b +committed +healthy/m)
    expect(text).toContain('adama: the last update, of slot b, was reverted: it hung')
  })
})
