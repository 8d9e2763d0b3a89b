import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { missingParts } from '../../../../images/layers/container/missing-parts.ts'
import { smallElf } from '../../../helpers/small-elf.ts'
import { tempDirectory } from '../../../helpers/temp.ts'
import { randomFrom } from '../../../power-cut/random.ts'

const LIBRARIES = '/usr/lib/aarch64-linux-gnu'
const LOADER = '/lib/ld-linux-aarch64.so.1'

type Files = Readonly<Record<string, Buffer | string>>

/** A root with merged /usr and these files; a text `-> TARGET` is a link. */
async function rootWith(files: Files): Promise<string> {
  const root = await tempDirectory()
  for (const name of ['bin', 'sbin', 'lib']) {
    mkdirSync(`${root}/usr/${name}`, { recursive: true })
    symlinkSync(`usr/${name}`, `${root}/${name}`)
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(root + path), { recursive: true })
    if (typeof content === 'string' && content.startsWith('-> ')) symlinkSync(content.slice(3), root + path)
    else {
      writeFileSync(root + path, content)
      chmodSync(root + path, 0o755)
    }
  }
  return root
}

const loader = { [LOADER]: smallElf({}) }
const libc = { ...loader, [`${LIBRARIES}/libc.so.6`]: smallElf({ interpreter: LOADER }) }
const program = (...needed: string[]) => smallElf({ interpreter: LOADER, needed })

async function missing(files: Files, started = '/usr/bin/app', libraryPath: readonly string[] = []) {
  const root = await rootWith(files)
  return missingParts(root, 'arm64', { container: 'app', program: started, libraryPath })
}

describe('missingParts', () => {
  it('finds nothing for a program whose loader and libraries are there', async () => {
    expect(await missing({ ...libc, '/usr/bin/app': program('libc.so.6') })).toEqual([])
  })

  it('finds nothing for a static program', async () => {
    expect(await missing({ '/usr/bin/app': smallElf({}) })).toEqual([])
  })

  it('names a missing program, and a program that only another directory has', async () => {
    const neededBy = "container 'app'"
    expect(await missing({})).toEqual([{ name: '/usr/bin/app', neededBy, problem: 'missing' }])
    expect(await missing({ '/opt/app': smallElf({}) }, 'app')).toEqual([{ name: 'app', neededBy, problem: 'missing' }])
    expect(await missing({ '/usr/local/bin/app': smallElf({}) }, 'app')).toEqual([])
  })

  it.each<[string, string, Files, string]>([
    ['the interpreter of a script', '#!/usr/bin/python3 -I\n', {}, '/usr/bin/python3'],
    [
      'the target of an interpreter that is a link',
      '#!/usr/bin/python3\n',
      { '/usr/bin/python3': '-> python3.13' },
      '/usr/bin/python3',
    ],
    ['env', '#!/usr/bin/env python3\n', {}, '/usr/bin/env'],
    ['the program that env starts', '#!/usr/bin/env -S A=1 python3 -I\n', { '/usr/bin/env': smallElf({}) }, 'python3'],
  ])('names %s', async (_what, text, files, name) => {
    const found = await missing({ ...files, '/usr/bin/app': text })
    expect(found).toContainEqual({ name, neededBy: "'/usr/bin/app'", problem: 'missing' })
  })

  it('follows absolute links inside the root, as /etc/alternatives has them', async () => {
    const files = { ...libc, '/usr/bin/app': '-> /etc/alternatives/app', '/etc/alternatives/app': '-> /opt/app/real' }
    expect(await missing({ ...files, '/opt/app/real': program('libc.so.6') })).toEqual([])
    expect(await missing(files)).toHaveLength(1)
  })

  it('looks for libraries where the program says, below its own directory too', async () => {
    const app = smallElf({ interpreter: LOADER, needed: ['libown.so'], runpath: '/nowhere:$ORIGIN/../lib/own' })
    expect(
      await missing({ ...loader, '/opt/bin/app': app, '/opt/lib/own/libown.so': smallElf({}) }, '/opt/bin/app'),
    ).toEqual([])
  })

  it('looks for libraries in LD_LIBRARY_PATH, and not in directories that only a cache of ldconfig would name', async () => {
    const files = { ...loader, '/usr/bin/app': program('libown.so'), '/opt/lib/libown.so': smallElf({}) }
    expect(await missing(files, '/usr/bin/app', ['/opt/lib'])).toEqual([])
    expect(await missing({ ...files, '/etc/ld.so.conf.d/own.conf': '/opt/lib\n' })).toEqual([
      { name: 'libown.so', neededBy: "'/usr/bin/app'", problem: 'missing' },
    ])
  })

  it('names a program for another architecture, and a file that is not executable', async () => {
    const [name, neededBy] = ['/usr/bin/app', "container 'app'"]
    expect(await missing({ [name]: smallElf({ machine: 62 }) })).toEqual([
      { name, neededBy, problem: 'for another architecture' },
    ])
    const root = await rootWith({ [name]: smallElf({}) })
    chmodSync(root + name, 0o644)
    expect(missingParts(root, 'arm64', { container: 'app', program: name, libraryPath: [] })).toEqual([
      { name, neededBy, problem: 'not executable' },
    ])
  })

  it('names a directory in the place of a program, which is not executable either', async () => {
    const found = await missing({ '/opt/app/file': 'text' }, '/opt/app')
    expect(found).toEqual([{ name: '/opt/app', neededBy: "container 'app'", problem: 'not executable' }])
  })

  it('follows the link to a command of an npm package, and its first line', async () => {
    const files = {
      '/app/node_modules/.bin/app': '-> ../@lab/app/cli.js',
      '/app/node_modules/@lab/app/cli.js': '#!/usr/bin/env node\n',
      '/usr/bin/env': smallElf({}),
    }
    const started = '/app/node_modules/.bin/app'
    expect(await missing({ ...files, '/usr/bin/node': smallElf({}) }, started)).toEqual([])
    const neededBy = "'/app/node_modules/@lab/app/cli.js'"
    expect(await missing(files, started)).toEqual([{ name: 'node', neededBy, problem: 'missing' }])
  })

  it('names a module that Node.js would not find, which needs no permission to execute', async () => {
    const root = await rootWith({ '/usr/bin/node': smallElf({}), '/app/node_modules/app/red.js': 'run()\n' })
    chmodSync(`${root}/app/node_modules/app/red.js`, 0o644)
    const missingOf = (...names: readonly string[]) => {
      const modules = names.map((name) => `/app/node_modules/${name}`)
      return missingParts(root, 'arm64', { container: 'app', program: 'node', modules, libraryPath: [] })
    }
    expect(missingOf('app/red.js', 'app/red', 'app')).toEqual([])
    expect(missingOf('app/red.js', 'app/blue.js', 'other')).toEqual([
      { name: '/app/node_modules/app/blue.js', neededBy: "container 'app'", problem: 'missing' },
      { name: '/app/node_modules/other', neededBy: "container 'app'", problem: 'missing' },
    ])
  })

  it('ends on links and libraries that refer to each other', async () => {
    const files = {
      [`${LIBRARIES}/liba.so`]: smallElf({ needed: ['libb.so'] }),
      [`${LIBRARIES}/libb.so`]: smallElf({ needed: ['liba.so'] }),
    }
    expect(await missing({ ...loader, ...files, '/usr/bin/app': program('liba.so') })).toEqual([])
    expect(await missing({ '/usr/bin/app': '-> other', '/usr/bin/other': '-> app' })).toHaveLength(1)
  })

  it('names exactly the part that is taken away, for random programs', async () => {
    for (let seed = 0; seed < 25; seed++) {
      const { files, parts, started } = randomProgram(seed)
      const root = await rootWith(files)
      const given = { container: 'app', program: started, libraryPath: [] }
      expect(missingParts(root, 'arm64', given), `seed ${seed}`).toEqual([])
      for (const part of parts) {
        renameSync(root + part, `${root}/away`)
        const names = new Set(missingParts(root, 'arm64', given).map(({ name }) => name))
        const last = part.startsWith(LIBRARIES) ? part.slice(LIBRARIES.length + 1) : part
        expect(names, `seed ${seed} without ${part}`).toEqual(new Set([last]))
        renameSync(`${root}/away`, root + part)
      }
      rmSync(root, { recursive: true })
      expect(existsSync(root)).toBe(false)
    }
  })
})

/** A program of up to three scripts that interpret each other, and libraries that need each other. */
function randomProgram(seed: number): { readonly files: Files; readonly parts: string[]; readonly started: string } {
  const random = randomFrom(seed, 1)
  const upTo = (most: number) => Math.floor(random() * (most + 1))
  const count = 1 + upTo(6)
  const name = (index: number) => `lib${index}.so`
  const libraries = Array.from({ length: count }, (_, index) => {
    // Each library but the last needs the next one, so that the program needs all of them.
    const more = Array.from({ length: upTo(2) }, () => upTo(count - 1))
    return [...new Set([...(index + 1 < count ? [index + 1] : []), ...more])].map(name)
  })
  const scripts = Array.from({ length: upTo(3) }, (_, index) => `/usr/bin/script${index}`)
  const files: Record<string, Buffer | string> = { ...loader, '/usr/bin/app': program(name(0)) }
  for (const [index, needed] of libraries.entries()) files[`${LIBRARIES}/${name(index)}`] = smallElf({ needed })
  for (const [index, path] of scripts.entries()) files[path] = `#!${scripts[index + 1] ?? '/usr/bin/app'}\n`
  return { files, parts: Object.keys(files), started: scripts[0] ?? '/usr/bin/app' }
}
