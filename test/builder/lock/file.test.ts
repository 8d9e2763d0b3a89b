import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readLock, writeLock } from '../../../builder/lock/file.ts'
import { EMPTY_LOCK } from '../../../images/lock.ts'
import { tempDirectory } from '../../helpers/temp.ts'

describe('the lock file', () => {
  it('is read as it was written, and nothing lies beside it', async () => {
    const directory = await tempDirectory()
    const path = join(directory, 'debian.lock.json')
    const lock = { ...EMPTY_LOCK, time: 42 }
    await writeLock(path, EMPTY_LOCK)
    await writeLock(path, lock)
    expect(await readLock(path)).toEqual(lock)
    expect(await readdir(directory)).toEqual(['debian.lock.json'])
    expect(await readFile(path, 'utf8')).toMatch(/\}\n$/)
  })

  it('is an empty lock where there is none yet', async () => {
    expect(await readLock(join(await tempDirectory(), 'debian.lock.json'))).toEqual(EMPTY_LOCK)
  })

  it('is refused in a format that this version does not know', async () => {
    const path = join(await tempDirectory(), 'debian.lock.json')
    await writeFile(path, '{"format":2}')
    await expect(readLock(path)).rejects.toMatchObject({ code: 'format', message: expect.stringContaining('format 2') })
  })

  it('fails with the reason where it cannot be written', async () => {
    const path = join(await tempDirectory(), 'no-such-directory', 'debian.lock.json')
    await expect(writeLock(path, EMPTY_LOCK)).rejects.toThrow('ENOENT')
  })
})
