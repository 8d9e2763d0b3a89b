import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openStore } from '../../../builder/store/directory.ts'
import { verifyStore } from '../../../builder/store/verify.ts'
import { type Digest, isDigest } from '../../../images/digest.ts'
import { childProgram } from '../../helpers/child-program.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { tempDirectory } from '../../helpers/temp.ts'

/** The program of the child process: it records outputs of half a megabyte, and writes one object without an end. */
const BUILDER = `
import { writeFile } from 'node:fs/promises'
import { openStore } from './builder/store/directory.ts'
import { digestOf } from './images/digest.ts'
const [, , root, word, mode] = process.argv
const store = await openStore(root)
if (mode === 'half') await store.scratch('half', async (directory) => {
  await writeFile(directory + '/file', 'half of it')
  console.log('half written')
  await new Promise(() => setInterval(() => {}, 1000))
})
for (let count = 0; count < (mode === 'forever' ? 1e6 : 20); count++) {
  const bytes = String(mode === 'same' ? count : word + count).padEnd(1 << 19, 'x')
  const derivation = digestOf('derivation of ' + bytes)
  const digest = await store.putBytes(bytes)
  await store.record(derivation, { file: { digest, size: bytes.length } })
  console.log(derivation)
}
`

async function builders() {
  const root = await tempDirectory()
  const script = await childProgram(BUILDER, await tempDirectory())
  const start = (word: string, mode: 'half' | 'forever' | 'same', within: readonly string[] = []) => {
    const [program = '', ...args] = [...within, process.execPath, script, root, word, mode]
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    return { child, ended, lines: createInterface(child.stdout) }
  }
  return { root, start }
}

/** Kills a child after the given number of lines, and returns the lines. */
async function killAfter(
  { child, lines, ended }: ReturnType<Awaited<ReturnType<typeof builders>>['start']>,
  count: number,
) {
  const said: string[] = []
  for await (const line of lines) {
    said.push(line)
    if (said.length === count) child.kill('SIGKILL')
  }
  expect(await ended).toEqual([null, 'SIGKILL'])
  return said
}

describe('after kill -9', () => {
  it('after kill -9 the store returns no partial object, and removes leftovers', async () => {
    const { root, start } = await builders()
    await killAfter(start('a', 'half'), 1)
    expect(readdirSync(join(root, 'tmp'))).toHaveLength(1)
    const store = await openStore(root)
    expect(readdirSync(join(root, 'tmp'))).toEqual([])
    expect(await verifyStore(store, listReporter())).toEqual({ whole: 0, damaged: [] })
  })

  it('after kill -9 every object is complete, and every recorded output exists', async () => {
    const { root, start } = await builders()
    for (const count of [1, 2, 5, 9]) {
      const recorded = (await killAfter(start(`run ${count} `, 'forever'), count)).filter(isDigest)
      const store = await openStore(root)
      for (const derivation of recorded) expect(store.output(derivation as Digest)).toBeDefined()
      expect((await verifyStore(store, listReporter())).damaged).toEqual([])
    }
  })
})

/**
 * A program in its own PID namespace, as in a container. Its process ids are the largest possible, so no process outside has
 * them.
 */
const NUMBERED = 'echo $(($(cat /proc/sys/kernel/pid_max) - 99)) >/proc/sys/kernel/ns_last_pid; "$@"; :'
const CONTAINER = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', NUMBERED, 'container']

describe.skipIf(process.getuid?.() !== 0)('a build in a container that shares the store', () => {
  it('a build in a container keeps its temporary files when a process outside the container opens the store', async () => {
    const { root, start } = await builders()
    const { lines } = start('a', 'half', CONTAINER)
    await once(lines, 'line')
    const halves = readdirSync(join(root, 'tmp'))
    expect(halves).toHaveLength(1)
    await openStore(root)
    expect(readdirSync(join(root, 'tmp'))).toEqual(halves)
  })
})

describe('builds at the same time in one store', () => {
  it('builds at the same time leave one complete object for the same bytes', async () => {
    const { root, start } = await builders()
    const all = ['a', 'b', 'c', 'd'].map((word) => start(word, 'same'))
    for (const { ended } of all) expect(await ended).toEqual([0, null])
    expect(await verifyStore(await openStore(root), listReporter())).toEqual({ whole: 20, damaged: [] })
    expect(readdirSync(join(root, 'tmp'))).toEqual([])
  })
})
