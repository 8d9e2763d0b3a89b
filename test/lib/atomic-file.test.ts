import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFile, flushDirectory, isTemporaryName, replaceFile } from '../../lib/atomic-file.ts'
import { tempDirectory } from '../helpers/temp.ts'

async function target() {
  const directory = await tempDirectory()
  return { directory, file: join(directory, 'file.json'), names: () => readdirSync(directory).sort() }
}

describe.each([
  ['replaceFile', replaceFile],
  ['createFile', createFile],
])('%s', (_, write) => {
  it('writes text, bytes, or what a function writes, and leaves no other file', async () => {
    for (const content of ['text', Buffer.from('text'), (path: string) => writeFile(path, 'text')]) {
      const { file, names } = await target()
      await write(file, content)
      expect(readFileSync(file, 'utf8')).toBe('text')
      expect(names()).toEqual(['file.json'])
    }
  })

  it('gives the file the mode that the caller requests', async () => {
    const { file } = await target()
    await write(file, 'secret', { mode: 0o600 })
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('leaves no file when writing the content fails', async () => {
    const { file, names } = await target()
    const failing = async (path: string) => {
      writeFileSync(path, 'half')
      throw new Error('no space')
    }
    await expect(write(file, failing)).rejects.toThrow('no space')
    expect(names()).toEqual([])
  })

  it('rejects with ENOENT when the directory does not exist', async () => {
    const { directory } = await target()
    await expect(write(join(directory, 'absent/file'), '')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('removes temporary files of the same target that are older than an hour', async () => {
    const { directory, file, names } = await target()
    const [old, fresh, foreign] = ['0123456789ab', '0123456789ac', 'notes'].map((end) => `.file.json.part-${end}`)
    const other = '.other.json.part-0123456789ab'
    for (const name of [old, fresh, foreign, other]) {
      writeFileSync(join(directory, name ?? ''), 'half')
      if (name !== fresh) utimesSync(join(directory, name ?? ''), 1000, 1000)
    }
    await write(file, 'text')
    expect(names()).toEqual([fresh, foreign, other, 'file.json'].sort())
    await write(join(directory, 'other.json'), 'text', { exclusive: true })
    expect(names()).toEqual([fresh, foreign, 'file.json', 'other.json'].sort())
  })

  it('also removes newer temporary files when the caller holds a lock', async () => {
    const { directory, file, names } = await target()
    writeFileSync(join(directory, '.file.json.part-0123456789ab'), 'half')
    await write(file, 'text', { exclusive: true })
    expect(names()).toEqual(['file.json'])
  })
})

describe('replaceFile', () => {
  it('replaces the content, and keeps the old content when writing fails', async () => {
    const { file } = await target()
    await replaceFile(file, 'old')
    await expect(replaceFile(file, () => Promise.reject(new Error('no space')))).rejects.toThrow('no space')
    expect(readFileSync(file, 'utf8')).toBe('old')
    await replaceFile(file, 'new')
    expect(readFileSync(file, 'utf8')).toBe('new')
  })

  it('fails when the target is a directory, and leaves no temporary file', async () => {
    const { file, names } = await target()
    mkdirSync(file)
    await expect(replaceFile(file, 'text')).rejects.toThrow()
    expect(names()).toEqual(['file.json'])
  })
})

describe('createFile', () => {
  it('returns true for a new file', async () => {
    const { file } = await target()
    expect(await createFile(file, 'first')).toBe(true)
  })

  it('returns false for an existing file and keeps its content', async () => {
    const { file, names } = await target()
    await createFile(file, 'first')
    expect(await createFile(file, 'second')).toBe(false)
    expect(readFileSync(file, 'utf8')).toBe('first')
    expect(names()).toEqual(['file.json'])
  })

  it('returns true to exactly one of several callers at the same time', async () => {
    const { file } = await target()
    const created = await Promise.all(['a', 'b', 'c'].map((text) => createFile(file, text)))
    expect(created.filter(Boolean)).toHaveLength(1)
    expect(readFileSync(file, 'utf8')).toBe(['a', 'b', 'c'][created.indexOf(true)])
  })
})

describe('isTemporaryName', () => {
  it('accepts the names that replaceFile uses', async () => {
    const { file } = await target()
    let used = ''
    await replaceFile(file, async (path) => {
      used = path.split('/').at(-1) ?? ''
      writeFileSync(path, '')
    })
    expect(isTemporaryName(used)).toBe(true)
  })

  it.each(['1.json', '.notes.new', '.part-0123456789ab', '.a.part-0123456789AB', 'a.part-0123456789ab'])(
    'refuses %s as the name of a temporary file',
    (name) => {
      expect(isTemporaryName(name)).toBe(false)
    },
  )
})

describe('flushDirectory', () => {
  it('rejects when the directory does not exist', async () => {
    const { directory } = await target()
    await flushDirectory(directory)
    await expect(flushDirectory(join(directory, 'absent'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(existsSync(directory)).toBe(true)
  })
})
