import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { debianArchitecture } from '../../../../images/architecture.ts'
import { readElf } from '../../../../images/layers/parts/elf.ts'
import { type SmallElf, smallElf } from '../../../helpers/small-elf.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function read(bytes: Buffer | string) {
  const directory = await tempDirectory()
  writeFileSync(`${directory}/file`, bytes)
  return readElf(`${directory}/file`)
}

describe('readElf', () => {
  it.each<[string, SmallElf]>([
    ['a program', { interpreter: '/lib/ld-linux-aarch64.so.1', needed: ['libc.so.6', 'libm.so.6'] }],
    ['a library', { needed: ['libc.so.6'], runpath: '$ORIGIN:/usr/lib/app' }],
    ['a static program', {}],
  ])('reads loader, libraries and search path of %s', async (_what, given) => {
    expect(await read(smallElf(given))).toEqual({
      architecture: 'arm64',
      interpreter: given.interpreter,
      needed: given.needed ?? [],
      runpath: given.runpath?.split(':') ?? [],
    })
  })

  it('reads the architecture, also one that hangar does not support', async () => {
    expect(await read(smallElf({ machine: 62 }))).toMatchObject({ architecture: 'amd64' })
    expect(await read(smallElf({ machine: 40 }))).toMatchObject({ architecture: undefined })
    const small = smallElf({})
    small[4] = 1
    expect(await read(small)).toMatchObject({ architecture: undefined })
  })

  it.each([
    ['a script', '#!/bin/sh\n'],
    ['an empty file', ''],
    ['a short file that begins as ELF', '\x7fELF'],
  ])('returns undefined for %s', async (_what, text) => {
    expect(await read(text)).toBeUndefined()
  })

  it('reads a real program as the loader of this machine does', () => {
    const found = readElf(process.execPath)
    expect(found?.architecture).toBe(debianArchitecture(process.arch))
    // The loader lists libraries of libraries too.
    const listed = execFileSync('ldd', [process.execPath], { encoding: 'utf8' })
    for (const library of found?.needed ?? []) expect(listed).toContain(library)
  })
})
