import { cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { storeRoot } from '../../builder/store/directory.ts'
import { must } from '../helpers/lab.ts'
import { sumsIn } from '../helpers/output-files.ts'
import { copyProject, runIn } from '../helpers/project.ts'
import { tempDirectory } from '../helpers/temp.ts'

const LOCK = 'images/debian.lock.json'
const SERVICE = 'overlays/services/mosquitto/service.ts'

const project = copyProject()
const from = storeRoot(process.env)
// The new store is beside the other store, because hard links need one file system.
const store = mkdtempSync(`${from}-pinned-`)
afterAll(() => {
  project.remove()
  rmSync(store, { recursive: true, force: true })
})

/** The digests of all fetched files, which are their names in the store. */
const FETCHED = new Set(readFileSync(join(project.directory, LOCK), 'utf8').match(/[0-9a-f]{64}/g))

/** Fills the new store with the fetched files, but without any output. */
function fillStore(): void {
  cpSync(join(from, 'format'), join(store, 'format'))
  for (const [part, name] of objectsOf(from).filter(([, object]) => FETCHED.has(object))) {
    mkdirSync(join(store, 'objects', part), { recursive: true })
    linkSync(join(from, 'objects', part, name), join(store, 'objects', part, name))
  }
}

/** Deletes all outputs of derivations, and keeps the inputs of the generations. */
function deleteOutputs(): void {
  const outputs = join(store, 'outputs')
  const records = readdirSync(outputs, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const texts = records.map(({ name, parentPath }) => readFileSync(join(parentPath, name), 'utf8'))
  const outputDigests = new Set(texts.flatMap((text) => text.match(/[0-9a-f]{64}/g) ?? []))
  rmSync(outputs, { recursive: true })
  const gone = objectsOf(store).filter(([, object]) => outputDigests.has(object))
  // The outputs are the layers, the kernel, the initramfs and the device trees.
  expect(gone.length).toBeGreaterThan(8)
  for (const [part, name] of gone) rmSync(join(store, 'objects', part, name))
}

function objectsOf(root: string): [part: string, name: string][] {
  const parts = readdirSync(join(root, 'objects'))
  return parts.flatMap((part) => readdirSync(join(root, 'objects', part)).map((name): [string, string] => [part, name]))
}

function edit(path: string, from: RegExp, to: string): void {
  const file = join(project.directory, path)
  const before = readFileSync(file, 'utf8')
  const after = before.replace(from, to)
  if (after === before) throw new Error(`'${path}' does not have ${from}`)
  writeFileSync(file, after)
}

it('hangar rebuilds a pinned generation without a network, bit for bit, after the lock has changed', async () => {
  fillStore()
  const env = { HOME: homedir(), XDG_CONFIG_HOME: await tempDirectory(), HANGAR_STORE: store }
  const program = [process.execPath, 'cli/hangar.mjs']
  const hangar = (...args: string[]) => must(runIn({ cwd: project.directory, env }, 'env', ...program, ...args))
  const offline = (...args: string[]) =>
    must(runIn({ cwd: project.directory, env }, 'unshare', '-n', ...program, ...args))
  const sums = () => sumsIn(join(project.directory, 'out/adama'))

  await hangar('build', 'adama', '--offline')
  const pinned = sums()
  await hangar('pin', 'adama', '1')

  edit(LOCK, /"time": \d+/, '"time": 1999999999')
  edit(SERVICE, /autosave_interval 300/, 'autosave_interval 301')
  expect(await hangar('build', 'adama', '--offline')).toContain('generation 2')
  expect(sums()).not.toEqual(pinned)
  await hangar('gc', '--keep', '1')

  deleteOutputs()
  await offline('build', 'adama', '--offline', '--generation', '1')
  expect(sums()).toEqual(pinned)
})
