import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeDirectory } from '../../lib/make-directory.ts'
import { tempDirectory } from '../helpers/temp.ts'

describe('makeDirectory', () => {
  it('creates a directory with its parents, and accepts an existing one', async () => {
    const directory = join(await tempDirectory(), 'a/b/c')
    makeDirectory(directory, 0o700)
    makeDirectory(directory)
    expect(statSync(directory).mode & 0o777).toBe(0o700)
  })

  it('accepts a link to a directory', async () => {
    const root = await tempDirectory()
    mkdirSync(join(root, 'real'))
    symlinkSync('real', join(root, 'link'))
    makeDirectory(join(root, 'link'))
    makeDirectory(join(root, 'link/below'))
    expect(existsSync(join(root, 'real/below'))).toBe(true)
  })

  it.each([
    ['a file', 'EEXIST', (path: string) => writeFileSync(path, '')],
    ['a link to nothing', 'ENOENT', (path: string) => symlinkSync('/not/there', path)],
    ['a link to itself', 'ELOOP', (path: string) => symlinkSync(path, path)],
  ])('throws the error of the system for %s, also below it', async (_, code, make) => {
    const path = join(await tempDirectory(), 'name')
    make(path)
    expect(() => makeDirectory(path)).toThrow(code)
    expect(() => makeDirectory(join(path, 'a/b'))).toThrow(/ENOTDIR|ENOENT|ELOOP/)
  })

  it('does not report a read-only file system as a missing file', () => {
    // The kernel refuses every new directory in /sys.
    expect(() => makeDirectory('/sys/hangar')).toThrow(/EPERM|EACCES|EROFS/)
  })
})
