import { describe, expect, it } from 'vitest'
import { withFileLock, withHostLocks } from '../../lib/file-lock.ts'
import { tempDirectory } from '../helpers/temp.ts'

describe('withFileLock', () => {
  it('runs only one of several uses of a directory at a time', async () => {
    const directory = await tempDirectory()
    const seen: string[] = []
    const run = (name: string) =>
      withFileLock(directory, async () => {
        seen.push(`${name} begins`)
        await new Promise((resolve) => setTimeout(resolve, 100))
        seen.push(`${name} ends`)
      })
    await Promise.all([run('one'), run('two')])
    expect(seen.map((text) => text.split(' ')[1])).toEqual(['begins', 'ends', 'begins', 'ends'])
  })

  it('releases the lock when the work fails', async () => {
    const directory = await tempDirectory()
    await expect(withFileLock(directory, () => Promise.reject(new Error('full')))).rejects.toThrow('full')
    expect(await withFileLock(directory, async () => 'done', { patience: 0 })).toBe('done')
  })

  it('fails when another holder of the lock does not end in time', async () => {
    const directory = await tempDirectory()
    await withFileLock(directory, async () => {
      await expect(withFileLock(directory, async () => 'second', { patience: 0 })).rejects.toMatchObject({
        message: `another build still writes to '${directory}'`,
        hint: expect.stringContaining('wait until the other build ends'),
      })
    })
  })

  it('does not wait for locks of other directories', async () => {
    const [one, two] = [await tempDirectory(), await tempDirectory()]
    expect(await withFileLock(one, () => withFileLock(two, async () => 'both', { patience: 0 }))).toBe('both')
  })
})

describe('withHostLocks', () => {
  it('refuses a second flash of the same host at once, and allows flashes of other hosts and projects', async () => {
    const [one, two] = [await tempDirectory(), await tempDirectory()]
    await withHostLocks(one, ['adama', 'starbuck'], async () => {
      await expect(withHostLocks(one, ['apollo', 'starbuck'], async () => 'second')).rejects.toMatchObject({
        message: "another 'npm run flash' of 'starbuck' is running in this project",
        hint: expect.stringContaining('run the same command again'),
      })
      expect(await withHostLocks(one, ['apollo'], async () => 'done')).toBe('done')
      expect(await withHostLocks(two, ['adama'], async () => 'done')).toBe('done')
    })
    expect(await withHostLocks(one, ['starbuck', 'adama'], async () => 'after')).toBe('after')
  })
})
