import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { collect } from '../../../builder/generations/collect.ts'
import { objectsOf } from '../../../builder/generations/parts.ts'
import { pin } from '../../../builder/generations/pins.ts'
import { generationsOf, isKept } from '../../../builder/generations/record.ts'
import { openStore } from '../../../builder/store/directory.ts'
import type { Step } from '../../../builder/store/garbage.ts'
import { childProgram } from '../../helpers/child-program.ts'
import { filesIn, lostIn } from '../../helpers/missing-objects.ts'
import { smallLab, smallLock } from '../../helpers/small-lab.ts'
import { memory, tempDirectory } from '../../helpers/temp.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

const NOW = new Date('2027-01-01')
const RETENTION = { keep: 1, olderThan: 0 }

/**
 * Runs gc in a process that kills itself before the step with the given number. Prints the number of steps if gc has fewer.
 */
const COLLECTOR = `
import { collect } from './builder/generations/collect.ts'
import { openStore } from './builder/store/directory.ts'
const [, , root, killedAt, forever] = process.argv
const store = await openStore(root)
let steps = 0
let removed = 0
const step = async (what, act) => {
  if (steps++ === Number(killedAt)) process.kill(process.pid, 'SIGKILL')
  await act()
}
do {
  const use = { root, what: 'gc' }
  const { garbage } = await collect({ store, use, step, lock: undefined, mode: 'collect', now: new Date('2027-01-01'), retention: { keep: 1, olderThan: 0 } })
  removed += garbage.objects.length
  console.log(removed)
  await new Promise((resolve) => setTimeout(resolve, 30))
} while (forever === 'forever')
`

/** Builds generations in a loop while other processes run gc. */
const BUILDER = `
import { smallLab, smallLock } from './test/helpers/small-lab.ts'
const [, , directory, project, host, count] = process.argv
const lab = await smallLab(directory, project)
for (let version = 1; version <= Number(count); version++) await lab.make(String(version), host + version, host)
console.log('built')
`

let programs: string
let collector: string
let builder: string
let template: string

/** Two generations that gc keeps, one of them pinned, two that it deletes, an unused toolchain and unused objects. */
beforeAll(async () => {
  programs = mkdtempSync(join(memory(), 'hangar-test-'))
  collector = await childProgram(COLLECTOR, join(programs, 'collector'))
  builder = await childProgram(BUILDER, join(programs, 'builder'))
  template = join(programs, 'lab')
  const lab = await smallLab(template, PROJECT)
  for (const version of ['1', '2', '3', '4']) await lab.make(version, `line ${version}`)
  lab.unpackToolchain('2')
  lab.unpackToolchain('4')
  await lab.store.putBytes('named by no record')
  await pin({ store: lab.store, host: 'tiny', number: 1, use: { root: lab.store.root, what: 'pin' } })
}, 60_000)

afterAll(() => rmSync(programs, { recursive: true, force: true }))

async function copy() {
  const root = join(await tempDirectory(memory()), 'store')
  cpSync(join(template, 'store'), root, { recursive: true, preserveTimestamps: true })
  return root
}

async function gc(root: string, step?: Step) {
  const store = await openStore(root)
  const use = { root, what: 'gc' }
  const given = step === undefined ? {} : { step }
  await collect({ store, use, lock: undefined, mode: 'collect', now: NOW, retention: RETENTION, ...given })
  return store
}

function start(program: string, ...args: string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const said: string[] = []
  createInterface(child.stdout).on('line', (line) => said.push(line))
  return { child, said, ended: once(child, 'close') }
}

/** The name of every step of an uninterrupted gc, the store before each step, and the store at the end. */
async function wholeCollection() {
  const before: { what: string; root: string }[] = []
  const root = await copy()
  const place = await tempDirectory(memory())
  const store = await gc(root, async (what, act) => {
    const seen = join(place, `${before.length}`)
    // Without the lease file of the killed process.
    cpSync(root, seen, { recursive: true, preserveTimestamps: true, filter: (path) => basename(path) !== 'users' })
    before.push({ what, root: seen })
    await act()
  })
  return { before, files: filesIn(store) }
}

const keptIn = (root: string) =>
  generationsOf(root, 'tiny')
    .filter(isKept)
    .map(({ number }) => number)

/** Expects that no kept object is missing, and that another gc leaves the same store as an uninterrupted one. */
async function expectMended(root: string, what: string, files: readonly string[]) {
  const store = await openStore(root)
  expect(lostIn(store), what).toEqual([])
  expect(keptIn(root), what).toEqual(expect.arrayContaining([1, 4]))
  await gc(root)
  expect(lostIn(store), what).toEqual([])
  expect(filesIn(store), what).toEqual(files)
}

describe('gc that is killed', () => {
  it('a gc that is killed before any step loses no kept object, and the next gc finishes the work', async () => {
    const { before, files } = await wholeCollection()
    const names = before.map(({ what }) => what)
    expect(names.slice(0, 2)).toEqual(['forget generation 3 of tiny', 'forget generation 2 of tiny'])
    expect(names.filter((what) => what.startsWith('move build-1-'))).toHaveLength(1)
    expect(names.length).toBeGreaterThan(20)
    for (const { what, root } of before) await expectMended(root, what, files)
  })

  it.each([0, 1, 2, 9, 30])('a gc that SIGKILL ends before step %i blocks no other process', async (at) => {
    const files = filesIn(await gc(await copy()))
    const root = await copy()
    const { ended } = start(collector, root, `${at}`)
    expect(await ended).toEqual([null, 'SIGKILL'])
    await expectMended(root, `${at}`, files)
  })

  it('the check of this test notices a lost object (negative control)', async () => {
    const root = await copy()
    const store = await gc(root)
    const packages = ['1', '4'].flatMap((version) => Object.values(smallLock(version).packages))
    const kept = generationsOf(root, 'tiny').filter(isKept)
    const needed = [
      ...kept.flatMap(({ parts }) => [...objectsOf(parts).keys()]),
      ...packages.map(({ sha256 }) => sha256),
    ]
    expect(new Set(needed).size).toBeGreaterThan(20)
    for (const object of needed) {
      const beside = `${store.path(object)}.away`
      renameSync(store.path(object), beside)
      expect(lostIn(store).join()).toContain(object)
      renameSync(beside, store.path(object))
    }
    expect(lostIn(store)).toEqual([])
  })

  it('a gc that cannot replace the record of a generation deletes none of its objects', async () => {
    const root = await copy()
    const store = await gc(root, async (what, act) => void (what.startsWith('forget') || (await act())))
    expect(keptIn(root)).toEqual([1, 2, 3, 4])
    expect(lostIn(store)).toEqual([])
  })
})

describe('gc beside builds', () => {
  it('a gc during builds leaves every kept generation complete, and lets no build fail', async () => {
    const lab = join(await tempDirectory(memory()), 'lab')
    await smallLab(lab, PROJECT)
    const root = join(lab, 'store')
    const { child, said, ended } = start(collector, root, '-1', 'forever')
    const builders = ['tiny', 'other'].map((host) => start(builder, lab, PROJECT, host, '10'))
    for (const each of builders) expect([await each.ended, each.said]).toEqual([[0, null], ['built']])
    child.kill('SIGKILL')
    await ended
    // Negative control: gc has deleted something in the meantime.
    expect(Number(said.at(-1))).toBeGreaterThan(20)
    const store = await openStore(root)
    expect(lostIn(store)).toEqual([])
    await gc(root)
    expect([keptIn(root), lostIn(store)]).toEqual([[10], []])
  })
})
