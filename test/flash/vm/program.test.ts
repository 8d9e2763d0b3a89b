import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { programOf } from '../../../flash/vm/program.ts'
import { tempDirectory } from '../../helpers/temp.ts'

async function unpacked(...paths: string[]): Promise<string> {
  const root = await tempDirectory()
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), '')
  }
  return root
}

describe('programOf', () => {
  it.each([
    ['amd64', 'usr/lib/x86_64-linux-gnu', 'ld-linux-x86-64.so.2'],
    ['arm64', 'usr/lib/aarch64-linux-gnu', 'ld-linux-aarch64.so.1'],
  ] as const)('starts the program with the loader of its root on %s', async (architecture, libraries, loader) => {
    const directory = await unpacked(`${libraries}/${loader}`, 'usr/bin/ssh')
    expect(programOf({ directory, architecture }, 'ssh')).toEqual({
      file: join(directory, libraries, loader),
      args: ['--library-path', join(directory, libraries), join(directory, 'usr/bin/ssh')],
      env: { QEMU_MODULE_DIR: join(directory, libraries, 'qemu') },
      ...{ name: 'ssh', origin: 'store' },
    })
  })

  it('names a missing program', async () => {
    const directory = await unpacked('usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2')
    expect(() => programOf({ directory, architecture: 'amd64' }, 'ssh')).toThrow(
      expect.objectContaining({
        code: 'program',
        message: `cannot start 'ssh' on this machine: '${join(directory, 'usr/bin/ssh')}': No such file or directory`,
        hint: 'check the programs in the store: npm run store:verify',
      }),
    )
  })
})
