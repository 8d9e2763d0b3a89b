import { describe, expect, it } from 'vitest'
import { type FlashCommand, flashCommand } from '../../../cli/commands/flash.ts'
import { checkFlashFlags } from '../../../cli/commands/flash-flags.ts'
import { statusCommand } from '../../../cli/commands/status.ts'
import { UserError } from '../../../errors.ts'
import type { Connect } from '../../../flash/controller.ts'
import { driverOf } from '../../../flash/targets/registry.ts'
import { ownKeysText, publicOf } from '../../../images/identity/private-identity.ts'
import { fingerprintOf } from '../../../images/signature/openssh-key.ts'
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
  const command: FlashCommand = {
    ...{ goal: UPDATE, mode: 'run', connect, progress, clock, generations },
    targets: names.map((host) => ({ host, at, hostKeys: [], driver, output: directory, identity: NO_IDENTITY })),
    build: async (host) => void built.push(host),
  }
  return { ...bench, built, command, connect, generations }
}

describe('flash', () => {
  it('builds, updates, and says how it went and how to go back', async () => {
    const { built, command, next } = await commandBench()
    const text = await flashCommand(command)
    expect(built).toEqual(['adama'])
    expect(text).toContain(
      `adama: slot b runs generation 12 (${next.manifest.slot.root.slice(0, 12)}), healthy and committed; sent 1.4 MB`,
    )
    expect(text).toMatch(/services down for \d+ s\nback: npm run revert adama$/)
  })

  it('says what it would do without doing it', async () => {
    const { host, command } = await commandBench()
    expect(await flashCommand({ ...command, mode: 'dry-run' })).toContain('adama: flash would perform these steps')
    expect(host.calls).toEqual(['status'])
  })

  it('brings a host that runs the image its new keys, says so, and would say so before', async () => {
    const { host, command } = await commandBench()
    await flashCommand(command)
    host.calls.length = 0
    const identity = { known: publicOf(IDENTITY), open: async () => Buffer.from(ownKeysText(IDENTITY)) }
    const rotated = { ...command, targets: command.targets.map((target) => ({ ...target, identity })) }
    expect(await flashCommand({ ...rotated, mode: 'dry-run' })).toContain('1. send the host its keys')
    expect(host.calls).toEqual(['status'])
    expect(await flashCommand(rotated)).toMatch(
      /adama: has its new keys; slot b runs generation 12 \(.*\) and is committed, nothing restarted; sent \d+ B/,
    )
    expect(await flashCommand(rotated)).toContain('adama: nothing to do')
  })

  it('stops at the first host that fails, and names those that were left', async () => {
    const { command, host } = await commandBench(['starbuck', 'adama'])
    await expect(flashCommand(command)).rejects.toThrow("wanted an image of 'starbuck'; not tried: 'adama'")
    expect(host.calls).toEqual([])
  })

  it('refuses flags that would be passed over', () => {
    const check = (names: string[], flags: object) => () => checkFlashFlags(names, { build: true, ...flags })
    expect(check(['adama'], { disk: '/dev/sda', dryRun: true })).toThrow("'--dry-run' means nothing with it")
    expect(check(['adama'], { yes: true })).toThrow("'--yes' means nothing without '--disk'")
    expect(check(['adama', 'starbuck'], { at: '10.0.0.1' })).toThrow("'--at' is for one host, not for 2")
    expect(check(['adama'], { build: false, runner: 'local' })).toThrow("'--runner' means nothing with '--no-build'")
    expect(check(['adama'], { runner: 'local' })).not.toThrow()
    expect(check(['adama'], { disk: '/dev/sda', yes: true })).not.toThrow()
    expect(check(['adama', 'starbuck'], { dryRun: true })).not.toThrow()
  })
})

describe('status', () => {
  const targets = ['adama', 'starbuck'].map((host) => ({ host, at, hostKeys: [], driver }))

  it('shows every host, and names one that is off without failing', async () => {
    const { connect, generations } = await commandBench()
    const text = await statusCommand({ targets, asked: 'all', format: 'text', generations, connect })
    expect(text).toMatch(/^adama +[0-9a-f]{12} +a +committed/m)
    expect(text).toMatch(/^starbuck +unreachable/m)
    expect(text).toContain('starbuck: cannot reach it\n  hint: look')
  })

  it('shows of one host which SSH key it has, and how many stay behind it', async () => {
    const { host, connect, generations } = await commandBench()
    const command = { targets: targets.slice(0, 1), asked: 'one', format: 'text', generations, connect } as const
    expect(await statusCommand(command)).toMatch(/^ {2}SSH key +none$/m)
    host.identity = { ssh: PUBLIC_LINES, age: [] }
    expect(await statusCommand(command)).toContain(`SSH key  ${fingerprintOf(PUBLIC_LINES[0] ?? '')}, and 1 former`)
  })

  it('fails for a host that was named, but not as JSON', async () => {
    const { connect, generations } = await commandBench()
    const one = { targets: targets.slice(1), asked: 'one', generations, connect } as const
    await expect(statusCommand({ ...one, format: 'text' })).rejects.toThrow('cannot reach it')
    expect(JSON.parse(await statusCommand({ ...one, format: 'json' }))).toEqual([
      { host: 'starbuck', reachable: false, error: { code: 'unreachable', message: 'cannot reach it', hint: 'look' } },
    ])
  })

  it('gives generations their numbers, and says why an update was reverted', async () => {
    const { host, command, connect, generations } = await commandBench()
    await flashCommand(command)
    host.update = { ...(host.update as NonNullable<typeof host.update>), phase: 'reverted', reason: 'it hung' }
    const text = await statusCommand({
      targets: targets.slice(0, 1),
      asked: 'all',
      format: 'text',
      generations,
      connect,
    })
    expect(text).toMatch(/^adama +12 \([0-9a-f]{12}\) +b +committed +healthy/m)
    expect(text).toContain('adama: the last update, of slot b, was reverted: it hung')
  })
})
