import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { engineEnv, requireEngine } from '../helpers/dagger-engine.ts'
import { copyProject, runIn } from '../helpers/project.ts'
import { PROJECT } from '../helpers/toolchain.ts'
import { calibrate } from './calibration.ts'
import { type Figure, figuresTable, writeReadmeTable } from './figures.ts'

const WANTED = 2
const RUNS = 7

const project = copyProject()
const env = {
  ...engineEnv(process.env),
  HANGAR_STORE: join(project.directory, '.store'),
  XDG_CONFIG_HOME: join(project.directory, '.config'),
}
const figures: Figure[] = []
const calibration = calibrate()
let size = 1_000_000

beforeAll(async () => {
  await requireEngine()
  await build('local')
  // A warm engine has the toolchain, and has built the image once.
  changeOneLine()
  await build('dagger')
})

afterAll(() => {
  project.remove()
  const table = figuresTable('bench:dagger', figures, calibration, availableParallelism())
  console.log(table)
  if (figures.length === WANTED) writeReadmeTable(join(PROJECT, 'docs/builders.md'), 'bench:dagger', table)
})

describe('a build of adama with a warm Dagger engine', () => {
  it('measures a build without changes', async () => {
    await record('nothing changed, Dagger runner chosen', 'as local', 'as local', () => undefined)
  })

  it('measures a build after one changed line of configuration', async () => {
    await record('one line changed, Dagger runner, engine warm', '5 × local', '2 × local', changeOneLine)
  })
})

/** Alternates between the runners, so that load from other programs slows down both. */
async function record(what: string, must: string, aim: string, change: () => void): Promise<void> {
  const seconds = { local: [] as number[], dagger: [] as number[] }
  for (let run = 0; run < RUNS; run++) {
    for (const runner of ['local', 'dagger'] as const) {
      change()
      seconds[runner].push(await build(runner))
    }
  }
  const [local, dagger] = [median(seconds.local), median(seconds.dagger)]
  const measured = `${(dagger / local).toFixed(2)} × local (${dagger.toFixed(2)} s, ${local.toFixed(2)} s)`
  figures.push({ what, must, aim, measured })
  console.log(`${what}: ${measured}`)
}

/** Seconds that `npm run build:image` takes. */
async function build(runner: 'local' | 'dagger'): Promise<number> {
  const begun = performance.now()
  const words = ['run', 'build:image', 'adama', '--', '--runner', runner]
  const { code, stderr } = await runIn({ cwd: project.directory, env }, 'npm', ...words)
  if (code !== 0) throw new Error(`the build with the ${runner} runner failed with status ${code}:\n${stderr}`)
  return (performance.now() - begun) / 1000
}

function changeOneLine(): void {
  const file = join(project.directory, 'hosts/adama.ts')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/mosquitto: \{( maxPacketSize: \d+,)?/, `mosquitto: { maxPacketSize: ${++size},`))
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN
}
