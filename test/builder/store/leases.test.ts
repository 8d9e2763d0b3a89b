import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { collectingStore, keepPrograms, programsInUse, usingStore } from '../../../builder/store/leases.ts'
import { childProgram } from '../../helpers/child-program.ts'
import { tempDirectory } from '../../helpers/temp.ts'

/** A store, and runs that record when they begin and end. */
async function bench() {
  const root = await tempDirectory()
  const order: string[] = []
  const noting =
    (name: string, until: Promise<unknown> = sleep(0)) =>
    async () => {
      order.push(`${name} begins`)
      await until
      order.push(`${name} ends`)
      return name
    }
  /** Resolves when a run has begun. */
  const begun = async (name: string) => {
    while (!order.includes(`${name} begins`)) await sleep(5)
  }
  return { root, order, noting, begun }
}

/** A promise that a test resolves. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

describe('usingStore', () => {
  it('runs several uses at the same time', async () => {
    const { root, order, noting, begun } = await bench()
    const { opened, open } = gate()
    const both = ['one', 'two'].map((what) => usingStore({ root, what }, noting(what, opened)))
    await Promise.all(['one', 'two'].map(begun))
    open()
    expect(await Promise.all(both)).toEqual(['one', 'two'])
    expect(order.slice(0, 2).sort()).toEqual(['one begins', 'two begins'])
    expect(readdirSync(join(root, 'users'))).toEqual([])
  })

  it('waits for a collection, and reports once which process it waits for', async () => {
    const { root, order, noting, begun } = await bench()
    const { opened, open } = gate()
    const reported: string[] = []
    const onWait = (other: string) => {
      reported.push(other)
      setTimeout(open, 200)
    }
    const collection = collectingStore({ root, what: 'gc' }, noting('gc', opened))
    await begun('gc')
    await usingStore({ root, what: 'build', onWait }, noting('build'))
    await collection
    expect(order).toEqual(['gc begins', 'gc ends', 'build begins', 'build ends'])
    expect(reported).toEqual([`gc (process ${process.pid})`])
  })

  it('releases its lease when the use fails', async () => {
    const { root } = await bench()
    const failing = usingStore({ root, what: 'build' }, () => Promise.reject(new Error('full')))
    await expect(failing).rejects.toThrow('full')
    expect(readdirSync(join(root, 'users'))).toEqual([])
  })
})

describe('collectingStore', () => {
  it('waits for the uses that run, and delays later uses', async () => {
    const { root, order, noting, begun } = await bench()
    const [waiting, { opened, open }] = [gate(), gate()]
    const first = usingStore({ root, what: 'first' }, noting('first', opened))
    await begun('first')
    const collection = collectingStore({ root, what: 'gc', onWait: waiting.open }, noting('gc'))
    await waiting.opened
    const second = usingStore({ root, what: 'second', onWait: open }, noting('second'))
    await Promise.all([first, collection, second])
    const expected = ['first', 'gc', 'second'].flatMap((name) => [`${name} begins`, `${name} ends`])
    expect(order).toEqual(expected)
  })

  it('runs only one of several collections at a time', async () => {
    const { root, order, noting } = await bench()
    const names = ['a', 'b', 'c', 'd', 'e']
    await Promise.all(names.map((what) => collectingStore({ root, what }, noting(what, sleep(20)))))
    expect(order).toHaveLength(10)
    for (let at = 0; at < order.length; at += 2) expect(order[at + 1]).toBe(order[at]?.replace('begins', 'ends'))
  })

  it('fails after its time limit, and names the process that uses the store', async () => {
    const { root, noting, begun } = await bench()
    const { opened, open } = gate()
    const use = usingStore({ root, what: 'build of adama' }, noting('build', opened))
    await begun('build')
    const collection = collectingStore({ root, what: 'gc', patience: 100 }, noting('gc'))
    await expect(collection).rejects.toMatchObject({
      code: 'busy',
      message: `another process still uses the store: build of adama (process ${process.pid})`,
    })
    open()
    await use
    expect(readdirSync(join(root, 'users'))).toEqual([])
  })

  it('stops waiting for uses when its signal is aborted', async () => {
    const { root, noting, begun } = await bench()
    const { opened, open } = gate()
    const use = usingStore({ root, what: 'build' }, noting('build', opened))
    await begun('build')
    const signal = AbortSignal.timeout(20)
    await expect(collectingStore({ root, what: 'gc', signal }, noting('gc'))).rejects.toThrow()
    open()
    await use
  })
})

/** Another process that uses or collects the store until it is killed. */
const CHILD = `
import { collectingStore, keepPrograms, usingStore } from './builder/store/leases.ts'
const [, , root, kind] = process.argv
const forever = async () => {
  console.log('in')
  await new Promise(() => setInterval(() => {}, 1000))
}
if (kind === 'programs') await keepPrograms(root, 'vm-1-abc').then(forever)
await (kind === 'use' ? usingStore : collectingStore)({ root, what: 'the other one' }, forever)
`

async function otherProcess(root: string, kind: 'use' | 'collect' | 'programs') {
  const script = await childProgram(CHILD, await tempDirectory())
  const child = spawn(process.execPath, [script, root, kind], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  await once(createInterface(child.stdout), 'line')
  return async () => {
    child.kill('SIGKILL')
    await ended
  }
}

describe('another process', () => {
  it.each(['use', 'collect'] as const)(
    'a collection waits for another process while it runs, and not after it was killed (%s)',
    async (kind) => {
      const { root, noting } = await bench()
      const kill = await otherProcess(root, kind)
      const collect = () => collectingStore({ root, what: 'gc', patience: 200 }, noting('gc'))
      await expect(collect()).rejects.toMatchObject({ message: expect.stringContaining('the other one (process ') })
      await kill()
      expect(await collect()).toBe('gc')
      expect(readdirSync(join(root, 'users'))).toEqual([])
    },
  )

  it('a process keeps its unpacked programs until it ends', async () => {
    const { root } = await bench()
    const kill = await otherProcess(root, 'programs')
    await keepPrograms(root, 'control-1-abc')
    expect(programsInUse(root).sort()).toEqual(['control-1-abc', 'vm-1-abc'])
    await kill()
    expect(programsInUse(root)).toEqual(['control-1-abc'])
  })
})

describe('a lease for the store', () => {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '')
  const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]
  const leaseName = (kind: string, fields: readonly (string | number | undefined)[]) =>
    `${kind}-${fields.join('-')}-0123456789ab`

  it.each([
    ['of a process whose number another process has now', [process.pid, 1, namespace, boot], 'ignored'],
    ['of an earlier boot', [process.pid, 1, namespace, 'abcdef'], 'ignored'],
    ['of a container that may still run', [4_194_305, 1, 1, boot], 'kept'],
    ['of a container of an earlier boot', [4_194_305, 1, 1, 'abcdef'], 'ignored'],
  ])('a lease %s is %3$s', async (_, fields, outcome) => {
    const { root, noting } = await bench()
    mkdirSync(join(root, 'users'))
    const file = join(root, 'users', leaseName('use', fields))
    writeFileSync(file, 'some build')
    const collection = collectingStore({ root, what: 'gc', patience: 100 }, noting('gc')).catch((error) => error.hint)
    if (outcome === 'ignored') expect(await collection).toBe('gc')
    else expect(await collection).toContain(`rm '${file}'`)
  })
})
