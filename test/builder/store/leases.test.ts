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

/** Runs that note when they begin and end; `order` is what they noted. */
async function bench() {
  const root = await tempDirectory()
  const order: string[] = []
  const noting = (name: string, milliseconds: number) => async () => {
    order.push(`${name} begins`)
    await sleep(milliseconds)
    order.push(`${name} ends`)
    return name
  }
  return { root, order, noting }
}

describe('a use of the store', () => {
  it('goes on beside others', async () => {
    const { root, order, noting } = await bench()
    const both = ['one', 'two'].map((what) => usingStore({ root, what }, noting(what, 100)))
    expect(await Promise.all(both)).toEqual(['one', 'two'])
    expect(order.slice(0, 2)).toEqual(['one begins', 'two begins'])
    expect(readdirSync(join(root, 'users'))).toEqual([])
  })

  it('waits for a collection to end, and says for what', async () => {
    const { root, order, noting } = await bench()
    const told: string[] = []
    const collection = collectingStore({ root, what: 'gc' }, noting('gc', 200))
    await sleep(50)
    await usingStore({ root, what: 'build', onWait: (who) => told.push(who) }, noting('build', 0))
    await collection
    expect(order).toEqual(['gc begins', 'gc ends', 'build begins', 'build ends'])
    expect(told).toEqual([`gc (process ${process.pid})`])
  })

  it('leaves no mark where it fails', async () => {
    const { root } = await bench()
    const failing = usingStore({ root, what: 'build' }, () => Promise.reject(new Error('full')))
    await expect(failing).rejects.toThrow('full')
    expect(readdirSync(join(root, 'users'))).toEqual([])
  })
})

describe('a collection', () => {
  it('waits for uses that were there before, and lets none begin meanwhile', async () => {
    const { root, order, noting } = await bench()
    const first = usingStore({ root, what: 'first' }, noting('first', 200))
    await sleep(50)
    const collection = collectingStore({ root, what: 'gc' }, noting('gc', 50))
    await sleep(50)
    const second = usingStore({ root, what: 'second' }, noting('second', 0))
    await Promise.all([first, collection, second])
    const expected = ['first', 'gc', 'second'].flatMap((name) => [`${name} begins`, `${name} ends`])
    expect(order).toEqual(expected)
  })

  it('takes turns with others, however many begin at once', async () => {
    const { root, order, noting } = await bench()
    const names = ['a', 'b', 'c', 'd', 'e']
    await Promise.all(names.map((what) => collectingStore({ root, what }, noting(what, 20))))
    expect(order).toHaveLength(10)
    for (let at = 0; at < order.length; at += 2) expect(order[at + 1]).toBe(order[at]?.replace('begins', 'ends'))
  })

  it('gives up after a while, and names who is there', async () => {
    const { root, noting } = await bench()
    const use = usingStore({ root, what: 'build of adama' }, noting('build', 300))
    await sleep(50)
    const collection = collectingStore({ root, what: 'gc', patience: 100 }, noting('gc', 0))
    await expect(collection).rejects.toMatchObject({
      code: 'busy',
      message: `the store is still in use: build of adama (process ${process.pid})`,
    })
    await use
    expect(readdirSync(join(root, 'users'))).toEqual([])
  })

  it('stops waiting when it is told to', async () => {
    const { root, noting } = await bench()
    const use = usingStore({ root, what: 'build' }, noting('build', 200))
    await sleep(50)
    const signal = AbortSignal.timeout(20)
    await expect(collectingStore({ root, what: 'gc', signal }, noting('gc', 0))).rejects.toThrow()
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
    'that was killed (%s) keeps nobody waiting, one that lives does',
    async (kind) => {
      const { root, noting } = await bench()
      const kill = await otherProcess(root, kind)
      const collect = () => collectingStore({ root, what: 'gc', patience: 200 }, noting('gc', 0))
      await expect(collect()).rejects.toMatchObject({ message: expect.stringContaining('the other one (process ') })
      await kill()
      expect(await collect()).toBe('gc')
      expect(readdirSync(join(root, 'users'))).toEqual([])
    },
  )

  it('has its programs for as long as it lives', async () => {
    const { root } = await bench()
    const kill = await otherProcess(root, 'programs')
    await keepPrograms(root, 'control-1-abc')
    expect(programsInUse(root).sort()).toEqual(['control-1-abc', 'vm-1-abc'])
    await kill()
    expect(programsInUse(root)).toEqual(['control-1-abc'])
  })
})

describe('a mark', () => {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '')
  const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]
  const mark = (kind: string, fields: readonly (string | number | undefined)[]) =>
    `${kind}-${fields.join('-')}-0123456789ab`

  it.each([
    ['of a number that another process has by now', [process.pid, 1, namespace, boot], 'gone'],
    ['of another start of the machine', [process.pid, 1, namespace, 'abcdef'], 'gone'],
    ['of a container, where numbers mean others', [4_194_305, 1, 1, boot], 'there'],
    ['of a container before the machine was started anew', [4_194_305, 1, 1, 'abcdef'], 'gone'],
  ])('%s is %3$s', async (_, fields, outcome) => {
    const { root, noting } = await bench()
    mkdirSync(join(root, 'users'))
    const file = join(root, 'users', mark('use', fields))
    writeFileSync(file, 'some build')
    const collection = collectingStore({ root, what: 'gc', patience: 100 }, noting('gc', 0)).catch(
      (error) => error.hint,
    )
    if (outcome === 'gone') expect(await collection).toBe('gc')
    else expect(await collection).toContain(`rm '${file}'`)
  })
})
