import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { privateDirectory } from '../../flash/private-directory.ts'
import { tempDirectory } from '../helpers/temp.ts'

function created(env: NodeJS.ProcessEnv): string {
  const directory = privateDirectory(env)
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

describe('privateDirectory', () => {
  it('uses TMPDIR, and only this user may enter the directory', async () => {
    const parent = await tempDirectory('/tmp')
    const directory = created({ TMPDIR: parent })
    expect(directory.startsWith(`${parent}/hangar-vm-${process.pid}-`)).toBe(true)
    expect(statSync(directory).mode & 0o777).toBe(0o700)
  })

  it.each(['a b', 'a%hb', 'a"b', 'a,b', 'a:b', '$HOME', 'ü', 'n'.repeat(65), 'n'.repeat(200)])(
    'uses another parent when TMPDIR ends with %s, and a socket fits there',
    async (name) => {
      const parent = join(await tempDirectory('/tmp'), name)
      mkdirSync(parent)
      const directory = created({ TMPDIR: parent })
      expect(directory).toMatch(/^\/[A-Za-z0-9/_.-]{1,80}$/)
      expect(directory.startsWith(parent)).toBe(false)
      // ssh adds a dot and 16 characters to the path while it creates a socket.
      const socket = join(directory, 'control.1234567890abcdef')
      const server = createServer()
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve))
      expect(existsSync(socket)).toBe(true)
      server.close()
    },
  )

  it('uses another parent when TMPDIR does not exist or is a file', () => {
    for (const parent of ['/nonexistent', '/etc/passwd']) expect(existsSync(created({ TMPDIR: parent }))).toBe(true)
  })
})
