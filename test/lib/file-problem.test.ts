import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileProblem, fileProblemText, fileRemedy, namingPath } from '../../lib/file-problem.ts'
import { tempDirectory } from '../helpers/temp.ts'

function failed(code: string, syscall: string, path?: string): Error {
  return Object.assign(new Error(`${code}: from the system`), { code, syscall, path })
}

const OTHERWISE = 'set HANGAR_STORE to another directory'

/** Every error of a file system that a directory can give. */
const CODES = [
  ...['EACCES', 'EPERM', 'ENOENT', 'ENOTDIR', 'EROFS', 'ENOSPC', 'ELOOP', 'EDQUOT', 'EIO', 'EISDIR', 'EEXIST', 'EBUSY'],
  ...['ENAMETOOLONG', 'EMFILE', 'ENFILE', 'ESTALE', 'EXDEV', 'EFBIG', 'ENOTEMPTY'],
]

/** Every system call that hangar makes on a directory or file. */
const CALLS = [
  ...[
    'open',
    'mkdir',
    'mkdtemp',
    'scandir',
    'rename',
    'link',
    'unlink',
    'chmod',
    'stat',
    'write',
    'ftruncate',
    'fsync',
  ],
  ...['rmdir', 'symlink', 'copyfile', 'access', 'utime', 'readlink', 'realpath', 'read', 'rm'],
]

describe('fileProblem', () => {
  it.each(CODES)('describes %s of every call with the path, in words and with what to do', (code) => {
    for (const call of CALLS) {
      const problem = fileProblem(new Error('outer', { cause: failed(code, call, '/cache/store') }))
      if (problem === undefined) throw new Error(`no words for ${code} of ${call}`)
      expect(fileProblemText(problem)).toMatch(/^cannot [a-z ]+ '\/cache\/store': [a-z/ -]+$/)
      expect(fileRemedy(problem, { otherwise: OTHERWISE })).toMatch(new RegExp(`(^|; or )${OTHERWISE}$`))
    }
  })

  it.each([
    ['a program that does not exist', failed('ENOENT', 'spawn ssh', 'ssh')],
    ['a connection', failed('ECONNREFUSED', 'connect')],
    ['a mistake in the program', new TypeError('x is undefined')],
    ['no error', 'text'],
  ])('is undefined for %s', (_, error) => {
    expect(fileProblem(error)).toBeUndefined()
  })
})

describe('namingPath', () => {
  it('adds the path to an error of an open file, and keeps a path that the error has', async () => {
    const caught = (error: Error) =>
      namingPath('/cache/store/tmp/a', () => Promise.reject(error)).catch((each) => fileProblem(each)?.path)
    expect(await caught(failed('ENOSPC', 'write'))).toBe('/cache/store/tmp/a')
    expect(await caught(failed('EACCES', 'open', '/own'))).toBe('/own')
  })
})

describe('fileRemedy for permissions', () => {
  /** A directory with a store and a file in it that belong to another user. */
  async function foreign() {
    const directory = join(await tempDirectory(), 'store')
    mkdirSync(directory)
    writeFileSync(join(directory, 'file'), '')
    return directory
  }

  it('names the owner, and gives the command that makes the directory the own one', async () => {
    const directory = await foreign()
    const owner = process.getuid?.() ?? 0
    const problem = { code: 'EACCES', action: 'open', path: join(directory, 'new'), reason: '' }
    expect(fileRemedy(problem, { directory, otherwise: OTHERWISE, uid: owner + 1 })).toBe(
      `'${directory}' belongs to user ${owner}, and hangar runs as user ${owner + 1}: ` +
        `sudo chown -R ${owner + 1} '${directory}'; or ${OTHERWISE}`,
    )
  })

  it('never changes the owner of a directory that is not from hangar', async () => {
    const parent = await foreign()
    const directory = join(parent, 'hangar')
    for (const path of [directory, join(directory, 'tmp'), '/var/hangar', '/', '/root/x']) {
      const problem = { code: 'EACCES', action: 'create', path, reason: '' }
      for (const own of [directory, undefined, '/var/hangar/store']) {
        expect(fileRemedy(problem, { directory: own, otherwise: OTHERWISE, uid: 4321 })).not.toContain('chown')
      }
    }
  })

  it('quotes paths for the shell', async () => {
    const directory = join(await tempDirectory(), "an owner's store")
    mkdirSync(directory)
    const problem = { code: 'ENOSPC', action: 'write', path: join(directory, 'file'), reason: '' }
    expect(fileRemedy(problem, { otherwise: OTHERWISE })).toContain("an owner'\\''s store'; or")
  })

  it.runIf(process.getuid?.() === 0)('names a file of another user within the directory', async () => {
    const directory = await foreign()
    chownSync(join(directory, 'file'), 4321, 4321)
    const problem = { code: 'EACCES', action: 'open', path: join(directory, 'file'), reason: '' }
    expect(fileRemedy(problem, { directory, otherwise: OTHERWISE, uid: 1234 })).toContain(
      `'${directory}/file' belongs to user 4321, and hangar runs as user 1234: sudo chown -R 1234 '${directory}/file'`,
    )
  })
})
