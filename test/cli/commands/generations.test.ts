import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generationNumbered, requireKept } from '../../../builder/generations/find.ts'
import { build as buildCommand, buildMode } from '../../../cli/commands/build.ts'
import { type DiffFlags, diff as diffCommand } from '../../../cli/commands/diff.ts'
import { type GcFlags, gc as gcCommand } from '../../../cli/commands/gc.ts'
import { type GenerationsFlags, generations } from '../../../cli/commands/generations.ts'
import { pin as pinCommand } from '../../../cli/commands/pin.ts'
import { unpin as unpinCommand } from '../../../cli/commands/unpin.ts'
import { digestOf } from '../../../images/digest.ts'
import { commandContext } from '../../helpers/command-context.ts'
import { smallLab } from '../../helpers/small-lab.ts'
import { memory, tempDirectory } from '../../helpers/temp.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

/** A store with `count` small generations of one host, and the commands that work on them. */
async function bench(count: number) {
  const lab = await smallLab(await tempDirectory(memory()), PROJECT)
  const { store } = lab
  for (let version = 1; version <= count; version += 1) await lab.make(`${version}`, 'line')
  const context = commandContext({ env: { HANGAR_STORE: store.root }, project: await tempDirectory(memory()) })
  const list = async (flags: GenerationsFlags = {}) => (await generations.run(context, ['tiny'], flags)) ?? ''
  const pin = (number: string) => pinCommand.run(context, ['tiny', number], {})
  const unpin = (number: string) => unpinCommand.run(context, ['tiny', number], {})
  const gc = async (flags: GcFlags) => (await gcCommand.run(context, [], flags)) ?? ''
  return { ...lab, commands: context, reporter: context.reporter, list, pin, unpin, gc }
}

const root = (version: number) => digestOf(`${version} line\n`).slice(0, 12)

describe('generations', () => {
  it('lists generations newest first, with their state', async () => {
    const { list, pin, gc, store } = await bench(4)
    await pin('2')
    await gc({ keep: '2' })
    const { layers } = requireKept('tiny', generationNumbered(store.root, 'tiny', 3)).parts
    const app = layers.find(({ name }) => name === 'container-app')
    if (app !== undefined) rmSync(store.path(app.digest))
    const lines = (await list()).split('\n')
    expect(
      lines.map((line) => line.split(/ {2,}/)).map((cells) => [cells[0], cells[1], cells[2], cells.at(-1)]),
    ).toEqual([
      ['generation', 'root', 'built', 'state'],
      ['4', root(4), '2023-11-14 22:13 UTC', 'kept'],
      ['3', root(3), '2023-11-14 22:13 UTC', 'incomplete'],
      ['2', root(2), '2023-11-14 22:13 UTC', 'pinned'],
      ['1 expired; to list them: npm run generations tiny -- --all', undefined, undefined, expect.anything()],
    ])
    expect((await list({ all: true })).split('\n').at(-1)).toMatch(/^1 .* expired$/)
  })

  it('prints all fields of generations as JSON', async () => {
    const { list, gc } = await bench(2)
    await gc({ keep: '1' })
    const [newest, oldest] = JSON.parse(await list({ json: true }))
    expect(newest).toEqual({
      ...{ number: 2, root: digestOf('2 line\n'), built: '2023-11-14T22:13:20.000Z', revision: null, state: 'kept' },
      lock: expect.stringMatching(/^[0-9a-f]{64}$/),
      sizes: { slot: 0, boot: 0, layers: { base: 8192, 'container-app': 8192, host: 8192 } },
    })
    expect(oldest).toMatchObject({ number: 1, state: 'expired', lock: null, sizes: null })
  })

  it('names the command that builds a generation when there is none', async () => {
    const { list } = await bench(0)
    expect(await list()).toBe('tiny has no generations yet\nnext: npm run build:image tiny')
  })
})

describe('pin and unpin', () => {
  it('pin and unpin print what they did and the command that undoes it', async () => {
    const { pin, unpin } = await bench(1)
    expect(await pin('1')).toBe('generation 1 of tiny is pinned: gc keeps it\nundo: npm run unpin tiny 1')
    expect(await pin('1')).toBe('generation 1 of tiny is already pinned')
    expect(await unpin('1')).toBe('generation 1 of tiny is no longer pinned: gc deletes it when it expires')
    expect(await unpin('1')).toBe('generation 1 of tiny was not pinned')
  })

  it.each(['one', '0', '1.5', '-1'])('pin and unpin refuse a word that is not a number: %s', async (number) => {
    const { pin } = await bench(0)
    await expect(pin(number)).rejects.toMatchObject({
      message: `'${number}' is not the number of a generation`,
      hint: 'list the generations: npm run generations tiny',
    })
  })
})

describe('gc', () => {
  it('gc prints what it deleted and what it kept', async () => {
    const { gc } = await bench(3)
    const [deleted, freed, kept] = (await gc({ keep: '1' })).split('\n')
    expect([deleted, kept]).toEqual(['deleted generations 1, 2 of tiny', 'kept generation 3 of tiny'])
    expect(freed).toMatch(/^freed \d+ kB: \d+ objects, \d+ records, 0 toolchains$/)
  })

  it('gc --dry-run only prints what gc would delete', async () => {
    const { gc, list } = await bench(2)
    const before = await list()
    expect((await gc({ keep: '1', dryRun: true })).split('\n')[0]).toBe('would delete generation 1 of tiny')
    expect(await list()).toBe(before)
  })

  it('warns about a generation without a dependency graph', async () => {
    const { gc, store, reporter } = await bench(1)
    const { origin } = requireKept('tiny', generationNumbered(store.root, 'tiny', 1)).parts
    if (origin !== null) rmSync(store.path(origin.graph))
    await gc({})
    expect(reporter.warnings).toEqual([
      'generation 1 has lost its dependency graph: gc cannot keep the inputs of its build',
    ])
  })

  it('gc accepts an empty store', async () => {
    const { gc } = await bench(0)
    expect(await gc({})).toBe('freed 0 B: 0 objects, 0 records, 0 toolchains\nkept no generation: there is none yet')
  })
})

describe('build --generation', () => {
  it('prints the image, its directory, and how to flash it', async () => {
    const { build, commands } = await bench(0)
    const { root: built } = await build('1')
    const text = (await buildCommand.run(commands, ['tiny'], { generation: '1', offline: true })) ?? ''
    expect(text).toMatch(
      new RegExp(
        `^tiny: generation 1 \\(${built.slice(0, 12)}\\), \\d+ kB in out/tiny, assembled from the store, written in `,
      ),
    )
    expect(text.split('\n')[1]).toBe('next: npm run vm tiny, or npm run flash tiny -- --no-build --allow-downgrade')
    expect(readFileSync(join(commands.project, 'out/tiny/SHA256SUMS'), 'utf8')).toContain('slot.img')
  })
})

describe('diff', () => {
  const diff = async (count: number, numbers: readonly string[], format: 'text' | 'json' = 'json') => {
    const { commands } = await bench(count)
    const flags = { files: false, ...(format === 'json' ? { json: true as const } : {}) }
    const text = (await diffCommand.run(commands, ['tiny', ...numbers], flags)) ?? ''
    return format === 'json' ? JSON.parse(text) : text
  }

  it.each<[string[], number[]]>([
    [[], [2, 3]],
    [['1'], [1, 3]],
    [
      ['1', '2'],
      [1, 2],
    ],
    [
      ['3', '1'],
      [3, 1],
    ],
  ])('diff with the numbers %j compares generations %j', async (numbers, pair) => {
    const { from, to } = await diff(3, numbers)
    expect([from.number, to.number]).toEqual(pair)
  })

  it.each<[number, string[], string]>([
    [1, [], 'cannot compare generations of tiny: the store has 1, wanted 2'],
    [2, ['1', '9'], 'this store has no generation 9 of tiny'],
    [2, ['1', '2', '2'], 'cannot compare 3 generations: wanted at most 2'],
  ])('diff in a store with %i generations refuses %j', async (count, numbers, message) => {
    await expect(diff(count, numbers)).rejects.toThrow(message)
  })
})

describe('diff --against', () => {
  /** Two output directories that contain these generations. */
  async function outputs(before: number, now: number) {
    const { commands, store } = await bench(2)
    const write = async (number: number, directory: string) => {
      const { parts } = requireKept('tiny', generationNumbered(store.root, 'tiny', number))
      const manifest = parts.texts.find(({ name }) => name === 'manifest.json')
      mkdirSync(directory, { recursive: true })
      copyFileSync(store.path(manifest?.digest ?? digestOf('')), join(directory, 'manifest.json'))
    }
    const base = join(commands.project, 'base/out/tiny')
    await write(before, base)
    await write(now, join(commands.project, 'out/tiny'))
    const flags: DiffFlags = { files: false, against: base, markdown: true }
    const run = async (...numbers: string[]) => (await diffCommand.run(commands, ['tiny', ...numbers], flags)) ?? ''
    return { base, run }
  }

  it('compares two output directories, and prints Markdown', async () => {
    const { run } = await outputs(2, 1)
    const [head, ...rest] = (await run()).split('\n')
    expect(head).toMatch(/^\*\*tiny: generation 2 .* -> generation 1 .*\*\*$/)
    expect([rest[1], rest.at(-1)]).toEqual(['```diff', '```'])
  })

  it('reports that both directories have the same image', async () => {
    const { run } = await outputs(2, 2)
    expect(await run()).toContain('```diff\nno difference\n```')
  })

  it('diff --against refuses generation numbers, and a directory without a built image', async () => {
    const { run, base } = await outputs(1, 2)
    await expect(run('1')).rejects.toThrow("cannot combine '--against' with generation numbers")
    writeFileSync(join(base, 'manifest.json'), '{}')
    await expect(run()).rejects.toThrow(`'${base}/manifest.json' belongs to no generation in this store`)
    rmSync(base, { recursive: true })
    await expect(run()).rejects.toThrow(`'${base}/manifest.json' does not exist`)
  })
})

describe('the flags of build', () => {
  it.each([
    [{}, { frozen: undefined, network: 'online' }],
    [{ frozen: true }, { frozen: 'frozen', network: 'online' }],
    [{ frozen: false }, { frozen: 'no-frozen', network: 'online' }],
    [{ offline: true }, { frozen: 'frozen', network: 'offline' }],
    [
      { offline: true, generation: '3' },
      { frozen: 'frozen', network: 'offline' },
    ],
  ] as const)('the build flags %j mean %j', (flags, mode) => {
    expect(buildMode(flags)).toEqual(mode)
  })

  it.each([
    [{ offline: true, frozen: false }, "cannot combine '--offline' with '--no-frozen'"],
    [{ generation: '3', frozen: true }, "cannot combine '--generation' with '--frozen': a generation has its own lock"],
    [
      { generation: '3', frozen: false },
      "cannot combine '--generation' with '--no-frozen': a generation has its own lock",
    ],
  ] as const)('build refuses the flags %j', (flags, message) => {
    expect(() => buildMode(flags)).toThrow(message)
  })
})
