import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { parseManifest } from '../../images/manifest.ts'
import { adama } from '../helpers/adama.ts'
import { eventually } from '../helpers/eventually.ts'
import { copyProject, runIn } from '../helpers/project.ts'
import { withRootKit } from '../helpers/root-kit.ts'
import { PROJECT } from '../helpers/toolchain.ts'
import { bootHost } from '../helpers/vm.ts'
import { calibrate } from './calibration.ts'
import { type Figure, figuresTable, writeReadmeTable } from './figures.ts'
import { benchForeignRoot } from './foreign-root.ts'
import { type Peak, watchMemory } from './process-tree.ts'

const MIB = 2 ** 20
const WANTED = 9

/** A copy of the project with its own keys, configuration and an empty store. */
const project = copyProject()
const store = join(project.directory, '.store')
const env = { HANGAR_STORE: store, XDG_CONFIG_HOME: join(project.directory, '.config') }
const figures: Figure[] = []
const calibration = calibrate()

beforeAll(async () => {
  edit('package.json', '"scripts": {', '"scripts": { "nothing": "true",')
  const { code, stderr } = await runIn({ cwd: project.directory }, process.execPath, 'cli/bundle.mjs')
  if (code !== 0) throw new Error(stderr)
})

afterAll(() => {
  project.remove()
  const table = figuresTable('bench', figures, calibration, availableParallelism())
  console.log(table)
  // A partial run does not replace the table in the README.
  if (figures.length === WANTED) writeReadmeTable(join(PROJECT, 'README.md'), 'bench', table)
})

describe('a build of adama', () => {
  it('measures a build on an empty store', async () => {
    const { seconds, peak } = await buildWatched()
    record('first build of Adama on an empty store', '120 s', '45 s', `${seconds.toFixed(0)} s`)
    const scratch = `and ${mib(peak.scratch)} of scratch in tmpfs`
    record('peak memory of the process tree', '1.5 GiB', '700 MiB', `${mib(peak.processes)}, ${scratch}`)
    const layers = manifest().slot.layers.filter(({ name }) => name === 'base' || name === 'kernel')
    const size = layers.reduce((sum, layer) => sum + layer.size, 0)
    record('base + kernel layers together', '330 MB', '220 MB', `${Math.round(size / 1e6)} MB`)
  })

  it('measures a build without changes', async () => {
    const empty = await median(() => npm('nothing'))
    const build = await median(() => npm('build:image', 'adama'))
    const over = `an empty npm script (${empty.toFixed(2)} s) + ${(build - empty).toFixed(2)} s`
    record('nothing changed', 'an empty npm script + 0.25 s', '+ 0.1 s', over)
  })

  it('measures a check of the lab', async () => {
    const startUp = await median(() => npm('hangar', '--', '--help'))
    const check = await median(() => npm('check'))
    const over = `${(check - startUp).toFixed(2)} s + start-up (${startUp.toFixed(2)} s)`
    record('`npm run check` of the lab', '1 s + start-up', '0.3 s + start-up', over)
  })

  it('measures a build after one changed line of configuration', async () => {
    const startUp = await median(() => npm('hangar', '--', '--help'))
    edit('hosts/adama.ts', 'mosquitto: {', 'mosquitto: { maxPacketSize: 1000000,')
    let size = 1_000_000
    const build = await median(() => {
      edit('hosts/adama.ts', `maxPacketSize: ${size}`, `maxPacketSize: ${++size}`)
      return npm('build:image', 'adama')
    })
    const over = `${(build - startUp).toFixed(2)} s + start-up (${startUp.toFixed(2)} s)`
    record("one line of a service's configuration changed", '2 s + start-up', '0.7 s + start-up', over)
  })

  it('measures a build with an additional package', async () => {
    edit('overlays/services/mosquitto/service.ts', "'mosquitto-clients'", "'mosquitto-clients', 'jq'")
    const seconds = await npm('build:image', 'adama')
    record('one Debian package more in one container, fetched and locked', '15 s', '6 s', `${seconds.toFixed(1)} s`)
  })
})

describe('the memory of adama', () => {
  it('measures adama with its services stopped', async () => {
    process.env.XDG_CONFIG_HOME = env.XDG_CONFIG_HOME
    process.env.HANGAR_STORE = store
    const vm = await bootHost({ host: adama, image: join(project.directory, 'out/adama/adama.img') })
    try {
      await vm.reachable(600)
      await eventually(async () => (await vm.shell('systemctl is-system-running')) === 'running', 600)
      await vm.shell('systemctl stop hangar.slice')
      await sleep(60_000)
      const text = await vm.shell('cat /proc/meminfo')
      const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]) * 1024
      record('OS memory', '180 MiB', '110 MiB', mib(field('MemTotal') - field('MemAvailable')))
    } finally {
      await vm.stop()
    }
  })
})

describe('the root of the base layer', () => {
  it('measures a build of the root, natively and under emulation', async () => {
    process.env.HANGAR_STORE = store
    const { native, emulated, ratio } = await withRootKit(
      ({ context, ...kit }) => benchForeignRoot(context.runner, context.reporter, kit),
      project.directory,
    )
    const times = `${ratio.toFixed(1)} × (${native.toFixed(1)} s, ${emulated.toFixed(0)} s)`
    record('foreign root, native against emulated', '12 × faster', '20 ×', times)
  })
})

function record(what: string, must: string, aim: string, measured: string): void {
  figures.push({ what, must, aim, measured })
  console.log(`${what}: ${measured}`)
}

async function buildWatched(): Promise<{ seconds: number; peak: Peak }> {
  const begun = performance.now()
  const child = spawn('npm', ['run', 'build:image', 'adama'], {
    cwd: project.directory,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const watch = watchMemory(child.pid ?? 0)
  const code = await new Promise((resolve) => child.on('close', resolve))
  const peak = watch.stop()
  if (code !== 0) throw new Error(`the build failed with status ${code}`)
  return { seconds: (performance.now() - begun) / 1000, peak }
}

/** Seconds that an npm script takes, npm itself included. */
async function npm(...args: string[]): Promise<number> {
  const begun = performance.now()
  const ended = await runIn({ cwd: project.directory, env }, 'npm', 'run', ...args)
  if (ended.code !== 0) throw new Error(`npm run ${args.join(' ')} failed with status ${ended.code}:\n${ended.stderr}`)
  return (performance.now() - begun) / 1000
}

/** The median of five runs after a warm-up run. */
async function median(measure: () => Promise<number>): Promise<number> {
  await measure()
  const times: number[] = []
  for (let run = 0; run < 5; run++) times.push(await measure())
  return times.sort((a, b) => a - b)[2] ?? Number.NaN
}

function edit(file: string, wanted: string, replacement: string): void {
  const path = join(project.directory, file)
  const text = readFileSync(path, 'utf8')
  if (!text.includes(wanted)) throw new Error(`${file} has no '${wanted}' to change`)
  writeFileSync(path, text.replace(wanted, replacement))
}

function manifest() {
  const path = join(project.directory, 'out/adama/manifest.json')
  return parseManifest(readFileSync(path, 'utf8'), path)
}

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`
}
