import { readdirSync, readFileSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { formatSize } from '../../lib/format.ts'
import { copyProject, runIn } from '../helpers/project.ts'

const HOSTS = 50

/**
 * A copy of the project with many hosts, below TMPDIR: set it to a directory on btrfs or XFS to measure shared blocks.
 * With HANGAR_STORE the builds use that store, otherwise an empty one.
 */
const project = copyProject()
const out = join(project.directory, 'out')
const env = {
  HANGAR_STORE: process.env.HANGAR_STORE ?? join(project.directory, '.store'),
  XDG_CONFIG_HOME: process.env.XDG_CONFIG_HOME ?? join(project.directory, '.config'),
}

afterAll(() => project.remove())

describe('builds of many hosts', () => {
  it('measures one new host and many new hosts, when the store has all common layers', async () => {
    const names = Array.from({ length: HOSTS }, (_, at) => `bench-${at}`)
    for (const [at, name] of names.entries()) addHost(name, at)
    await hangar('build', 'adama')
    const one = await measured(() => hangar('build', names[0] ?? ''))
    const all = await measured(() => hangar('build', ...names))
    const again = await measured(() => hangar('build', ...names))
    print('1 host', one)
    print(`${HOSTS - 1} more hosts`, all)
    print(`all ${HOSTS} hosts, nothing changed`, again)
    console.log(
      `a further host takes ${(all.seconds / (HOSTS - 1) / one.seconds).toFixed(2)} × the time of the first one`,
    )
  })
})

interface Measured {
  readonly seconds: number
  /** Bytes that the file system has less afterwards. Exact only if no other program writes to it. */
  readonly taken: number
  /** Bytes of the allocated blocks of all output files; a block that two files share counts twice. */
  readonly allocated: number
}

async function measured(work: () => Promise<void>): Promise<Measured> {
  await flush()
  const before = free()
  const begun = performance.now()
  await work()
  const seconds = (performance.now() - begun) / 1000
  await flush()
  return { seconds, taken: before - free(), allocated: allocatedIn(out) }
}

/** File systems choose the blocks of a file when they write it to the disk. */
async function flush(): Promise<void> {
  await runIn({ cwd: project.directory }, 'sync', '-f', out)
}

function print(what: string, { seconds, taken, allocated }: Measured): void {
  const disk = `${formatSize(Math.max(0, taken))} of the disk taken; all files have ${formatSize(allocated)}`
  console.log(`${what}: ${seconds.toFixed(1)} s, ${disk}`)
}

function free(): number {
  const { bfree, bsize } = statfsSync(project.directory)
  return bfree * bsize
}

function allocatedIn(directory: string): number {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return files.reduce((sum, name) => sum + statSync(join(directory, name)).blocks * 512, 0)
}

/** A host like Adama with its own name and address. */
function addHost(name: string, at: number): void {
  const text = readFileSync(join(project.directory, 'hosts/adama.ts'), 'utf8')
  const own = text
    .replace('export const adama', `export const ${name.replaceAll('-', '_')}`)
    .replace("name: 'adama'", `name: '${name}'`)
    .replace('10.0.10.11/24', `10.0.10.${at + 100}/24`)
  writeFileSync(join(project.directory, `hosts/${name}.ts`), own)
}

async function hangar(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await runIn({ cwd: project.directory, env }, 'node', 'cli/hangar.mjs', ...args)
  if (code !== 0) throw new Error(`hangar ${args.join(' ')} ended with status ${code}:\n${stdout}${stderr}`)
}
