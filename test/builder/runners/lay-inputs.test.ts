import { chmodSync, chownSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inputDirectories, layInputs } from '../../../builder/runners/lay-inputs.ts'
import { openStore } from '../../../builder/store/directory.ts'
import { walk } from '../../../images/layers/parts/walk.ts'
import { derivation } from '../../helpers/derivation.ts'
import { oddDirectory } from '../../helpers/odd-directory.ts'
import { memory, tempDirectory } from '../../helpers/temp.ts'

const INPUTS = { whole: { bytes: 'whole' }, 'lib/a/deep': { bytes: 'deep' }, 'lib/odd': { bytes: 'odd' } }
const SAME_TIME = 1_000_000_000_000

/** Lays the inputs below a store directory, and returns what a command could see of each path. */
async function layIn(root: string, damage: (object: string) => void): Promise<Record<string, string>> {
  const store = await openStore(join(root, 'store'))
  damage(store.path(await store.putBytes(INPUTS['lib/odd'].bytes)))
  const target = join(root, 'store/tmp/in')
  mkdirSync(target)
  await layInputs(derivation({ inputs: INPUTS }), target, store)
  const seen = [['', lookAt(target)] as const, ...walk(target)].map(
    ([path, { mode, uid, gid, mtime }]) => [path, `${mode.toString(8)} ${uid}:${gid} ${mtime}`] as const,
  )
  return Object.fromEntries(seen)
}

function lookAt(path: string) {
  const { mode, uid, gid, mtimeMs } = lstatSync(path)
  return { mode: mode & 0o7777, uid, gid, mtime: mtimeMs }
}

const EXPECTED = {
  '': `755 0:0 ${SAME_TIME}`,
  '/lib': `755 0:0 ${SAME_TIME}`,
  '/lib/a': `755 0:0 ${SAME_TIME}`,
  '/lib/a/deep': `444 0:0 ${SAME_TIME}`,
  '/lib/odd': `444 0:0 ${SAME_TIME}`,
  '/whole': `444 0:0 ${SAME_TIME}`,
}

const DAMAGES: readonly (readonly [string, (object: string) => void])[] = [
  ['unchanged', () => undefined],
  ['chmod 400', (object) => chmodSync(object, 0o400)],
  ['chmod 4777', (object) => chmodSync(object, 0o4777)],
  ['chown 1000', (object) => chownSync(object, 1000, 1000)],
  ['chgrp 1000', (object) => chownSync(object, 0, 1000)],
]

describe.each([
  ['a disk', tmpdir()],
  ['memory', memory()],
])('inputs from a store on %s', (_where, parent) => {
  describe.each(DAMAGES)('with an object after %s', (_what, damage) => {
    it.each([0o022, 0o077, 0o027, 0o002])('have the same attributes under umask %o', async (mask) => {
      const before = process.umask(mask)
      onTestFinished(() => void process.umask(before))
      expect(await layIn(await tempDirectory(parent), damage)).toEqual(EXPECTED)
    })
  })

  it('have the same attributes in a set-group-id directory with a default ACL', async () => {
    const directory = await oddDirectory(await tempDirectory(parent))
    // Negative control: the directory changes a new file.
    writeFileSync(join(directory, 'control'), '', { mode: 0o644 })
    expect(lookAt(join(directory, 'control'))).toMatchObject({ mode: 0o640, gid: 1000 })
    expect(await layIn(directory, () => undefined)).toEqual(EXPECTED)
  })
})

it('inputDirectories lists each directory once, after its parent', () => {
  const inputs = { 'b/c/d': { bytes: '' }, a: { bytes: '' }, 'b/e': { bytes: '' }, 'b/c/f': { bytes: '' } }
  expect(inputDirectories({ inputs })).toEqual(['', 'b', 'b/c'])
})

it('does not change an object of the store whose attributes differ', async () => {
  const root = await tempDirectory()
  let object = ''
  await layIn(root, (path) => {
    object = path
    chmodSync(path, 0o400)
    chownSync(path, 1000, 1000)
  })
  expect(lookAt(object)).toMatchObject({ mode: 0o400, uid: 1000, gid: 1000 })
})
