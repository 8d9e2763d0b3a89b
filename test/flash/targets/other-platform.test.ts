import { describe, expect, it } from 'vitest'
import { flashOutput } from '../../../cli/commands/flash.ts'
import { revertHost } from '../../../cli/commands/revert.ts'
import { statusOutput } from '../../../cli/commands/status.ts'
import type { Connect } from '../../../flash/controller.ts'
import { flashHosts } from '../../../flash/flash-hosts.ts'
import { readStatuses } from '../../../flash/host-status.ts'
import type { TargetTools } from '../../../flash/targets/target.ts'
import { describeTarget } from '../../contracts/target.ts'
import { fakeFirmware } from '../../helpers/fake-firmware.ts'
import { importsOf, sourceFiles } from '../../helpers/source-files.ts'
import { PROJECT } from '../../helpers/toolchain.ts'
import { NO_IDENTITY, UPDATE } from '../../helpers/update-bench.ts'

const at = { address: '10.0.10.4', port: 22 }
/** The router is in memory: its target needs no connection. */
const NO_TOOLS = {} as TargetTools

describeTarget('firmware', async () => {
  const made = await fakeFirmware()
  return {
    ...made,
    target: made.driver.open(NO_TOOLS),
    state: () => JSON.stringify(made.device),
    failTrials: () => {
      made.device.fails = true
    },
  }
})

describe('another platform', () => {
  async function commandBench() {
    const { driver, clock, progress, directory, root } = await fakeFirmware()
    const connect: Connect = ({ driver }, use) => use(driver.open(NO_TOOLS))
    const known = { host: 'gaeta', at, hostKeys: [], driver }
    const generations = () => new Map([[root, { number: 3, built: '2026-11-24' }]])
    const flash = (mode: 'run' | 'dry-run') => {
      const targets = [{ ...known, output: directory, identity: NO_IDENTITY }]
      const request = { connect, clock, progress, mode, targets, goal: UPDATE, build: async () => undefined }
      return flashOutput((onResult) => flashHosts({ ...request, onResult }), generations, progress.notice)
    }
    const revert = () => revertHost({ connect, clock, progress, generations: generations(), known, data: 'carried' })
    const status = async () =>
      statusOutput(await readStatuses({ connect, targets: [known] }), generations, { asked: 'all', format: 'text' })
    return { flash, revert, status, progress }
  }

  it('the same commands flash, show and revert a host of another platform', async () => {
    const { flash, revert, status, progress } = await commandBench()
    expect(await flash('dry-run')).toContain('  1. upload the firmware\n  2. flip to slot b\n  3. reboot to slot b\n')
    expect(await flash('run')).toMatch(/gaeta: slot b runs generation 3 \(.*\), healthy and committed/)
    expect(await status()).toMatch(/^gaeta +3 \(.*\) +b +committed/m)
    expect(await revert()).toMatch(/^gaeta: slot a runs root /)
    expect(progress.notices.at(-1)).toContain('gaeta: restarts into slot a')
  })

  it('another platform adds a row to the registry, and no other file imports it', () => {
    const imports = sourceFiles(PROJECT)
      .filter(({ path }) => !path.startsWith('test/'))
      .flatMap(importsOf)
    const platform = /^flash\/targets\/[^/]+\//
    const outside = imports.filter(({ from, to }) => platform.test(to) && !platform.test(from))
    expect([...new Set(outside.map(({ from }) => from))]).toEqual(['flash/targets/registry.ts'])
  })
})
