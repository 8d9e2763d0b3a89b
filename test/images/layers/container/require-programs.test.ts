import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { packageFinder, requirePrograms } from '../../../../images/layers/container/require-programs.ts'
import type { Deb } from '../../../../images/layers/parts/deb.ts'
import { smallElf } from '../../../helpers/small-elf.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const deb = (name: string, ...files: string[]): Deb => ({
  fields: new Map([['Package', name]]),
  files,
  control: new Map(),
})
const finder = packageFinder(
  [deb('python3-minimal', '/usr/bin/python3'), deb('libssl3t64', '/usr/lib/x86_64-linux-gnu/libssl.so.3')],
  (path) => path.replace('x86_64', 'aarch64'),
)

async function refusal(programs: readonly string[]): Promise<unknown> {
  const root = await tempDirectory()
  mkdirSync(`${root}/usr/bin`, { recursive: true })
  writeFileSync(`${root}/usr/bin/script`, '#!/usr/bin/python3\n', { mode: 0o755 })
  writeFileSync(`${root}/usr/bin/binary`, smallElf({ needed: ['libssl.so.3', 'libown.so'] }), { mode: 0o755 })
  writeFileSync(`${root}/usr/bin/static`, smallElf({}), { mode: 0o755 })
  try {
    const given = programs.map((program) => ({ container: 'app', program, libraryPath: [] }))
    return requirePrograms(root, 'arm64', given, finder)
  } catch (error) {
    return error
  }
}

describe('requirePrograms', () => {
  it('accepts programs with all their parts', async () => {
    expect(await refusal(['/usr/bin/static'])).toBeUndefined()
  })

  it('names every missing part of every program once, and the package that has it where known', async () => {
    expect(await refusal(['/usr/bin/script', '/usr/bin/binary', '/usr/bin/binary'])).toMatchObject({
      code: 'host',
      message: [
        'the image cannot run its programs:',
        "  '/usr/bin/script' needs '/usr/bin/python3', which is missing (package 'python3-minimal' has it)",
        "  '/usr/bin/binary' needs 'libssl.so.3', which is missing (package 'libssl3t64' has it)",
        "  '/usr/bin/binary' needs 'libown.so', which is missing",
      ].join('\n'),
      hint: "add to 'packages' of the image in overlays/services: 'python3-minimal', 'libssl3t64'; then lock them: npm run lock",
    })
  })

  it('asks to correct the command if no known package has the program', async () => {
    expect(await refusal(['/usr/bin/mistyped'])).toMatchObject({
      message: "the image cannot run its programs:\n  container 'app' needs '/usr/bin/mistyped', which is missing",
      hint: expect.stringContaining('correct the command of the container in overlays/services'),
    })
  })
})

describe('the hint for a file of an npm package', () => {
  it("names package.json of the image's folder", async () => {
    expect(await refusal(['/app/node_modules/.bin/app'])).toMatchObject({
      message:
        "the image cannot run its programs:\n  container 'app' needs '/app/node_modules/.bin/app', which is missing",
      hint: "correct the command of the container in overlays/services, or add the npm package that has the file to 'dependencies' in package.json of the image's folder; then lock it: npm run lock",
    })
    expect(await refusal(['/app/node_modules/.bin/app', '/usr/bin/mistyped'])).toMatchObject({
      hint: expect.stringContaining('https://packages.debian.org/'),
    })
  })
})

describe('packageFinder', () => {
  it('finds a file under both names of the merged /usr, and a library by its name', () => {
    const find = packageFinder([deb('base', '/lib/x', '/usr/sbin/y')], (path) => path)
    expect(['/usr/lib/x', '/lib/x', '/sbin/y', 'x', '/usr/x', 'z'].map(find)).toEqual([
      ...['base', 'base', 'base', 'base'],
      ...[undefined, undefined],
    ])
  })
})
