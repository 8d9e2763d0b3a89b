import { existsSync, readdirSync, statSync } from 'node:fs'
import { appendFile, chmod, mkdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { OBJECT_TIME, openStore, storeRoot } from '../../../builder/store/directory.ts'
import { digestOf } from '../../../images/digest.ts'
import { thisProcess } from '../../../lib/process-liveness.ts'
import { tempDirectory } from '../../helpers/temp.ts'

describe('the store', () => {
  it('stores bytes read-only under their digest', async () => {
    const store = await openStore(await tempDirectory())
    const object = await store.putBytes('hello')
    expect(object).toBe(digestOf('hello'))
    expect(await readFile(store.path(object), 'utf8')).toBe('hello')
    expect(statSync(store.path(object)).mode & 0o777).toBe(0o444)
    expect(store.has(object, 5)).toBe(true)
  })

  it('finds no object whose size differs', async () => {
    const store = await openStore(await tempDirectory())
    expect(store.has(await store.putBytes('hello'), 4)).toBe(false)
  })

  it('finds no object that another program changed', async () => {
    const store = await openStore(await tempDirectory())
    const object = await store.putBytes('hello')
    await chmod(store.path(object), 0o644)
    await appendFile(store.path(object), '')
    await utimes(store.path(object), OBJECT_TIME + 1, OBJECT_TIME + 1)
    expect(store.has(object)).toBe(false)
  })

  it('replaces a corrupt object when a caller stores the same bytes again', async () => {
    const store = await openStore(await tempDirectory())
    const object = await store.putBytes('hello')
    await chmod(store.path(object), 0o644)
    await truncate(store.path(object), 2)
    await store.putBytes('hello')
    expect(await readFile(store.path(object), 'utf8')).toBe('hello')
  })

  it('returns an output only while the store has all of its files', async () => {
    const store = await openStore(await tempDirectory())
    const derivation = digestOf('derivation')
    const object = await store.putBytes('made')
    await store.record(derivation, { file: { digest: object, size: 4 } })
    expect(store.output(derivation)).toEqual({ file: { digest: object, size: 4 } })
    await chmod(store.path(object), 0o644)
    await truncate(store.path(object), 0)
    expect(store.output(derivation)).toBeUndefined()
  })

  it('ignores a truncated output record', async () => {
    const root = await tempDirectory()
    const store = await openStore(root)
    const derivation = digestOf('derivation')
    await store.record(derivation, {})
    await writeFile(join(root, 'outputs', derivation.slice(0, 2), `${derivation}.json`), '{"fi')
    expect(store.output(derivation)).toBeUndefined()
  })

  it('removes a scratch directory when its use fails', async () => {
    const root = await tempDirectory()
    const store = await openStore(root)
    const failing = store.scratch('work', async (directory) => {
      await writeFile(join(directory, 'half'), 'half')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(readdirSync(join(root, 'tmp'))).toEqual([])
  })

  it.each([
    ['of a killed process', (own: string) => own.replace(/^\d+/, '4194305'), false],
    [
      'of a process that is not the one of its number any more',
      (own: string) => own.replace(/^(\d+)-\d+/, '$1-1'),
      false,
    ],
    ['of another program', () => String(process.pid), true],
    ['of a running process', (own: string) => own, true],
    ['of a container', (own: string) => own.replace(/^\d+-\d+-\d+/, '40-1-1'), true],
  ])('deletes only temporary files of ended hangar processes: a file %s', async (_, nameOf, stays) => {
    const root = await tempDirectory()
    await openStore(root)
    const scratch = join(root, 'tmp', `work-${nameOf(thisProcess())}-0123456789ab`)
    await mkdir(scratch, { recursive: true })
    await openStore(root)
    expect(existsSync(scratch)).toBe(stays)
  })

  it('refuses a store of another format with a hint', async () => {
    const root = await tempDirectory()
    await writeFile(join(root, 'format'), '9\n')
    await expect(openStore(root)).rejects.toMatchObject({
      message: `store '${root}' has format '9', this hangar reads format '1'`,
      hint: expect.stringContaining('HANGAR_STORE'),
    })
  })
})

describe('storeRoot', () => {
  it.each([
    [{ HANGAR_STORE: '/s', XDG_CACHE_HOME: '/c', HOME: '/h' }, '/s'],
    [{ XDG_CACHE_HOME: '/c', HOME: '/h' }, '/c/hangar'],
    [{ HOME: '/h' }, '/h/.cache/hangar'],
  ])('the store is in the directory that %j names', (env, root) => {
    expect(storeRoot(env)).toBe(root)
  })
})
