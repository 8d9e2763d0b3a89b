import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { healthy, type Lab, makeLab, must, reboot } from '../helpers/lab.ts'
import { parseSeconds } from '../helpers/parse-seconds.ts'
import { tempDirectory } from '../helpers/temp.ts'
import { PROJECT } from '../helpers/toolchain.ts'
import type { TestVm } from '../helpers/vm.ts'
import { calibrate } from './calibration.ts'
import { type Figure, figuresTable, writeReadmeTable } from './figures.ts'
import { writtenSlots } from './slot-write.ts'

const WANTED = 5
/**
 * Bytes per second of one PCIe 2.0 lane. docs/decisions/0015-writing-a-slot.md explains why the limit applies to such a
 * disk.
 */
const NVME = 450e6
const SERVICE = 'overlays/services/mosquitto/service.ts'
const figures: Figure[] = []
const calibration = calibrate()

afterAll(() => {
  const table = figuresTable('bench:flash', figures, calibration, availableParallelism())
  console.log(table)
  // A partial run does not replace the table in the README.
  if (figures.length === WANTED) writeReadmeTable(join(PROJECT, 'README.md'), 'bench:flash', table)
})

describe('a full slot', () => {
  it("measures the agent and dd: writes a slot to a disk as fast as a Pi 5's, and to this machine's disk", async () => {
    const slow = await writtenSlots(await tempDirectory(), NVME)
    const limited = `a disk of ${NVME / 1e6} MB/s, an NVMe on a Pi 5`
    if (slow === undefined) console.log(`not measured, for want of a way to slow a disk down: ${limited}`)
    else
      record(
        `writing a full slot, against \`dd oflag=direct\`: ${limited}`,
        '1.3 ×',
        '1.05 ×',
        ratio(slow.ours, slow.direct),
      )
    const own = await writtenSlots(await tempDirectory())
    if (own?.cached === undefined) throw new Error('the disk of this machine was not measured')
    const speed = (own.size / own.direct / 1e9).toFixed(1)
    record(`the same: this machine's own disk, ${speed} GB/s`, '', '', ratio(own.ours, own.direct))
    record('the same disk, against `dd` through the page cache', '', '', ratio(own.ours, own.cached))
  })
})

describe('on the virtual machine', () => {
  it('measures a trial until its commit, a revert, and a plain reboot', async () => {
    const lab = await makeLab()
    const vm = await lab.boot()
    try {
      await healthy(vm)
      const [plain, committed, reverted]: number[][] = [[], [], []]
      for (let run = 0; run < 2; run++) {
        plain?.push(await plainReboot(vm))
        committed?.push(await trial(lab, vm, 310 + run))
        reverted?.push(await revert(lab, vm))
      }
      const base = Math.min(...(plain ?? []))
      record(
        'reboot command → committed, against a plain reboot to healthy',
        '1.5 ×',
        '1.1 ×',
        ratio(Math.min(...(committed ?? [])), base),
      )
      record(
        'revert → healthy, against a plain reboot to healthy',
        '1.3 ×',
        '1.05 ×',
        ratio(Math.min(...(reverted ?? [])), base),
      )
    } finally {
      await vm.stop()
      lab.remove()
    }
  })
})

/** Time from the command until every unit has started and every service is healthy. */
async function plainReboot(vm: TestVm): Promise<number> {
  const begun = performance.now()
  await reboot(vm)
  // One login waits on the host: each login slows down a starting host as much as a health check.
  await vm.shell('systemctl is-system-running --wait')
  return (performance.now() - begun) / 1000
}

async function trial(lab: Lab, vm: TestVm, interval: number): Promise<number> {
  lab.restore()
  lab.edit(SERVICE, 'autosave_interval 300', `autosave_interval ${interval}`)
  const said = await must(lab.onHost(vm, 'flash'))
  const steps = ['restart into slot [ab]', 'wait for health', 'commit slot [ab]']
  return steps.reduce(
    (sum, step) => sum + parseSeconds(new RegExp(`^ *${step} +(\\d.*)$`, 'm').exec(said)?.[1] ?? ''),
    0,
  )
}

async function revert(lab: Lab, vm: TestVm): Promise<number> {
  const said = await must(lab.onHost(vm, 'revert'))
  return parseSeconds(/services were down for (.*?)(?:;|$)/m.exec(said)?.[1] ?? '')
}

function ratio(ours: number, theirs: number): string {
  return `${(ours / theirs).toFixed(2)} × (${ours.toFixed(1)} s, ${theirs.toFixed(1)} s)`
}

function record(what: string, wanted: string, aim: string, measured: string): void {
  figures.push({ what, must: wanted, aim, measured })
  console.log(`${what}: ${measured}`)
}
