import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openStore } from '../../../builder/store/directory.ts'
import { gc } from '../../../cli/commands/gc.ts'
import { generations } from '../../../cli/commands/generations.ts'
import { storeVerify } from '../../../cli/commands/store-verify.ts'
import { digestOf } from '../../../images/digest.ts'
import { commandContext } from '../../helpers/command-context.ts'
import { smallLab } from '../../helpers/small-lab.ts'
import { memory, tempDirectory } from '../../helpers/temp.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

function commands(root: string) {
  const context = commandContext({ env: { HANGAR_STORE: root }, project: PROJECT })
  return {
    'gc -- --dry-run': () => gc.run(context, [], { dryRun: true }),
    gc: () => gc.run(context, [], { keep: '1', olderThan: '1h' }),
    'store:verify': () => storeVerify.run(context, [], {}),
    generations: () => generations.run(context, ['tiny'], {}),
  }
}

type Name = keyof ReturnType<typeof commands>
const ALL: Name[] = ['gc -- --dry-run', 'gc', 'store:verify', 'generations']

/** The path and content of every file and directory below a directory. */
function contentsOf(root: string): Record<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true })
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [path, entry.isFile() ? readFileSync(path, 'latin1') : 'directory']
    }),
  )
}

function put(root: string, paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), `the owner's ${path}`)
  }
}

const DIGEST = digestOf('foreign')

/** Files that an owner or another program may keep in any folder of a store. */
const FOREIGN = [
  ...['notes.txt', 'tmp/thesis.txt', 'tmp/build-1234/notes.txt', 'tmp/work-1234-0123456789ab', `tmp/${DIGEST}`],
  ...['toolchains/backup/notes.txt', 'toolchains/photos-2024-summer/a.jpg', 'toolchains/list.packages'],
  ...[`toolchains/${DIGEST}/notes.txt`, 'objects/notes.txt', `objects/${DIGEST}`, `objects/zz/${DIGEST}`],
  ...['outputs/notes.json', `outputs/${DIGEST}.json`, `outputs/own/${DIGEST}.json`, 'logs/notes.log'],
  ...[`logs/own/${DIGEST}.log`, 'users/notes.txt', 'users/use-1234', 'users/collect-notes', 'generations/notes.txt'],
  ...['generations/tiny/notes.json', 'generations/tiny/.notes.new', 'generations/own/notes.txt'],
]

describe('a directory with foreign files', () => {
  it.each(
    [['notes.txt'], ['tmp/thesis.txt'], ['objects/a'], ['tmp/a', 'toolchains/b/c'], ['generations/x/1.json']].flatMap(
      (paths) => ALL.map((name) => [name, paths] as const),
    ),
  )('refuses a directory with foreign files as a store for %s, and does not change it: %j', async (name, paths) => {
    const root = await tempDirectory()
    put(root, paths)
    const before = contentsOf(root)
    await expect(commands(root)[name]()).rejects.toMatchObject({
      code: 'store',
      message: expect.stringMatching(/^cannot use '.+' as the store: it has no file 'format' but holds '.+'$/),
      hint: expect.stringContaining('HANGAR_STORE'),
    })
    expect(contentsOf(root)).toEqual(before)
  })

  it.each(ALL)('refuses a file as a store for %s', async (name) => {
    const root = join(await tempDirectory(), 'file')
    writeFileSync(root, 'mine')
    await expect(commands(root)[name]()).rejects.toMatchObject({
      message: `cannot use '${root}' as the store: cannot list the directory '${root}': not a directory`,
    })
  })

  it('accepts a directory as a store when it is empty or has only leftovers of an interrupted first run', async () => {
    const root = await tempDirectory()
    await openStore(root)
    const name = readdirSync(root).sort()
    expect(name).toEqual(['format', 'tmp'])
    const other = await tempDirectory()
    mkdirSync(join(other, 'tmp'))
    writeFileSync(join(other, 'tmp', 'format-4194305-1-1-abc-0123456789ab'), '1\n')
    await openStore(other)
    expect(readFileSync(join(other, 'format'), 'utf8')).toBe('1\n')
  })
})

describe('foreign files in a store', () => {
  it.each(ALL)('keeps foreign files in a store after %s', async (name) => {
    const lab = await smallLab(await tempDirectory(memory()), PROJECT)
    for (const version of ['1', '2']) await lab.make(version, `line ${version}`)
    const { root } = lab.store
    put(root, FOREIGN)
    const ours = Object.keys(contentsOf(root)).length
    await commands(root)[name]()
    const left = contentsOf(root)
    expect(FOREIGN.filter((path) => left[join(root, path)] !== `the owner's ${path}`)).toEqual([])
    // Negative control: the collection removed objects of hangar.
    expect(Object.keys(left).length < ours).toBe(name === 'gc')
  })
})

describe('a dry run and a listing', () => {
  it.each(['gc -- --dry-run', 'generations'] as const)('%s changes nothing in a store', async (name) => {
    const lab = await smallLab(await tempDirectory(memory()), PROJECT)
    for (const version of ['1', '2']) await lab.make(version, `line ${version}`)
    const { root } = lab.store
    mkdirSync(join(root, 'users'), { recursive: true })
    put(root, [
      'tmp/work-4194305-1-1-abc-0123456789ab/half',
      'users/programs-4194305-1-1-abc-0123456789ab',
      'users/use-4194305-1-1-abc-0123456789ab',
    ])
    const before = contentsOf(root)
    await commands(root)[name]()
    expect(contentsOf(root)).toEqual(before)
  })

  it.each(['gc -- --dry-run', 'generations'] as const)('%s does not create a store', async (name) => {
    const root = join(await tempDirectory(), 'store')
    await commands(root)[name]()
    expect(existsSync(root)).toBe(false)
  })
})
