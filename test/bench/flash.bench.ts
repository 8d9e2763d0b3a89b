import { closeSync, fsyncSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { withArtifact } from '../../flash/artifact.ts'
import { zstdCompress } from '../../flash/compress.ts'
import { records } from '../../flash/stream.ts'
import { programOf } from '../../flash/vm/program.ts'
import { controlPrograms } from '../helpers/control-programs.ts'
import { healthy, type Lab, makeLab, must, started } from '../helpers/lab.ts'
import { compileC, partsOfBlocks } from '../helpers/native-program.ts'
import { parseSeconds } from '../helpers/parse-seconds.ts'

import { runIn } from '../helpers/project.ts'
import { tempDirectory } from '../helpers/temp.ts'
import { PROJECT } from '../helpers/toolchain.ts'
import { eventually, type TestVm } from '../helpers/vm.ts'
import { calibrate } from './calibration.ts'
import { type Figure, figuresTable, writeReadmeTable } from './figures.ts'

const WANTED = 3
const SERVICE = 'overlays/services/mosquitto/service.ts'
const figures: Figure[] = []
const calibration = calibrate()

afterAll(() => {
  const table = figuresTable('bench:flash', figures, calibration, availableParallelism())
  console.log(table)
  // Where only some were asked for, README keeps the table of a whole run.
  if (figures.length === WANTED) writeReadmeTable(join(PROJECT, 'README.md'), 'bench:flash', table)
})

/** The device's own pipeline, on this machine's processor and disk: what arrives is unpacked and put in its place. */
describe('a full slot', () => {
  it('written by the agent, and by dd', async () => {
    const directory = await tempDirectory()
    const path = (name: string) => join(directory, name)
    const zstd = programOf(await controlPrograms(), 'zstd')
    compileC('cc', path('blocks'), partsOfBlocks(), [])
    const [blocks, size] = await withArtifact('adama', join(PROJECT, 'out/adama'), async ({ manifest, slot }) => {
      const { dataBlocks } = manifest.slot
      const pieces: Uint8Array[] = []
      const all = [{ first: 0, count: dataBlocks }]
      for await (const piece of zstdCompress(zstd)(records(slot, all))) pieces.push(piece)
      writeFileSync(path('records'), Buffer.concat(pieces))
      return [dataBlocks, dataBlocks * 4096]
    })
    const image = join(PROJECT, 'out/adama/slot.img')
    const unpack = [zstd.file, ...zstd.args, '-dcq', '-M16MiB'].map((word) => `'${word}'`).join(' ')
    const ours = `${unpack} <records | ./blocks write disk 0 ${blocks}`
    const dd = `dd if='${image}' of=disk bs=1M count=${size} iflag=count_bytes conv=notrunc,fsync status=none`
    const env = { ...zstd.env }
    writtenDisk(path('disk'), size)
    const times = { ours: [] as number[], dd: [] as number[] }
    for (let run = 0; run < 6; run++) {
      for (const [name, command] of [
        ['ours', ours],
        ['dd', dd],
      ] as const) {
        const begun = performance.now()
        const { code, stderr } = await runIn({ cwd: directory, env }, 'sh', '-c', command)
        if (code !== 0) throw new Error(`'${command}' ended with ${code}: ${stderr}`)
        // The first of each warms what is read.
        if (run > 0) times[name].push((performance.now() - begun) / 1000)
      }
    }
    const [agent, plain] = [median(times.ours), median(times.dd)]
    record('writing a full slot, against `dd`', '1.3 ×', '1.05 ×', ratio(agent, plain))
  })
})

describe('on the virtual machine', () => {
  it('a trial up to its commit, and a revert, against a plain reboot', async () => {
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

/** From the command until every unit has started, services being healthy. */
async function plainReboot(vm: TestVm): Promise<number> {
  const before = vm.starts.length
  const begun = performance.now()
  await vm.shell('/usr/lib/hangar/agent reboot')
  await started(vm, before + 1)
  await eventually(async () => (await vm.shell('systemctl is-system-running || :')) === 'running', 900)
  return (performance.now() - begun) / 1000
}

async function trial(lab: Lab, vm: TestVm, interval: number): Promise<number> {
  lab.restore()
  lab.edit(SERVICE, 'autosave_interval 300', `autosave_interval ${interval}`)
  const said = await must(lab.onHost(vm, 'flash'))
  const steps = ['restart into slot [ab]', 'wait for health', 'commit slot [ab]']
  return steps.reduce((sum, step) => sum + parseSeconds(new RegExp(`^ *${step} +(.*)$`, 'm').exec(said)?.[1] ?? ''), 0)
}

async function revert(lab: Lab, vm: TestVm): Promise<number> {
  const said = await must(lab.onHost(vm, 'revert'))
  return parseSeconds(/services down for (.*?)(?:;|$)/m.exec(said)?.[1] ?? '')
}

/** Written once from end to end, as a partition is that exists: nothing has to be made room for. */
function writtenDisk(path: string, size: number): void {
  const file = openSync(path, 'w')
  const piece = Buffer.alloc(2 ** 20, 'another generation ')
  for (let at = 0; at < size; at += piece.length) writeSync(file, piece)
  fsyncSync(file)
  closeSync(file)
}

function median(times: readonly number[]): number {
  return [...times].sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? Number.NaN
}

function ratio(ours: number, theirs: number): string {
  return `${(ours / theirs).toFixed(2)} × (${ours.toFixed(1)} s, ${theirs.toFixed(1)} s)`
}

function record(what: string, wanted: string, aim: string, measured: string): void {
  figures.push({ what, must: wanted, aim, measured })
  console.log(`${what}: ${measured}`)
}
