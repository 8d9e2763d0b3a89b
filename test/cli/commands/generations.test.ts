import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generationNumbered, requireKept } from '../../../builder/generations/find.ts'
import { buildMode } from '../../../cli/commands/build-flags.ts'
import { diffCommand } from '../../../cli/commands/diff.ts'
import { gcCommand } from '../../../cli/commands/gc.ts'
import { generationsCommand } from '../../../cli/commands/generations.ts'
import { pinCommand, unpinCommand } from '../../../cli/commands/pin.ts'
import { rebuildCommand } from '../../../cli/commands/rebuild.ts'
import { digestOf } from '../../../images/digest.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { smallLab } from '../../helpers/small-lab.ts'
import { memory, tempDirectory } from '../../helpers/temp.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

/** A store with so many small generations, and commands as they are typed. */
async function bench(count: number) {
  const lab = await smallLab(await tempDirectory(memory()), PROJECT)
  const { store } = lab
  for (let version = 1; version <= count; version += 1) await lab.make(`${version}`, 'line')
  const reporter = listReporter()
  const cliContext = {
    ...{ env: { HANGAR_STORE: store.root }, project: await tempDirectory(memory()), reporter },
    ...{ now: new Date('2027-01-01'), signal: new AbortController().signal },
  }
  const list = (given: Partial<Parameters<typeof generationsCommand>[0]> = {}) =>
    generationsCommand({ env: cliContext.env, host: 'tiny', format: 'text', shown: 'kept', ...given })
  const pin = (number: string) => pinCommand({ ...cliContext, host: 'tiny', number })
  const unpin = (number: string) => unpinCommand({ ...cliContext, host: 'tiny', number })
  const gc = (flags: Parameters<typeof gcCommand>[0]['flags']) => gcCommand({ ...cliContext, flags })
  return { ...lab, cliContext, reporter, list, pin, unpin, gc }
}

const root = (version: number) => digestOf(`${version} line\n`).slice(0, 12)

describe('generations', () => {
  it('are listed newest first, with what becomes of them', async () => {
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
      ['generation', 'root', 'built', 'is'],
      ['4', root(4), '2023-11-14 22:13 UTC', 'kept'],
      ['3', root(3), '2023-11-14 22:13 UTC', 'incomplete'],
      ['2', root(2), '2023-11-14 22:13 UTC', 'pinned'],
      [
        '1 more of which only the name is left: npm run generations tiny -- --all',
        undefined,
        undefined,
        expect.anything(),
      ],
    ])
    expect((await list({ shown: 'all' })).split('\n').at(-1)).toMatch(/^1 .* a name$/)
  })

  it('are listed whole for a program', async () => {
    const { list, gc } = await bench(2)
    await gc({ keep: '1' })
    const [newest, oldest] = JSON.parse(await list({ format: 'json' }))
    expect(newest).toEqual({
      ...{ number: 2, root: digestOf('2 line\n'), built: '2023-11-14T22:13:20.000Z', revision: null, state: 'kept' },
      lock: expect.stringMatching(/^[0-9a-f]{64}$/),
      sizes: { slot: 0, boot: 0, layers: { base: 8192, 'container-app': 8192, host: 8192 } },
    })
    expect(oldest).toMatchObject({ number: 1, state: 'collected', lock: null, sizes: null })
  })

  it('that are not there yet are built by the next command', async () => {
    const { list } = await bench(0)
    expect(await list()).toBe('no generation of tiny yet\nnext: npm run build:image tiny')
  })
})

describe('pin and unpin', () => {
  it('say what they did, and how it is undone', async () => {
    const { pin, unpin } = await bench(1)
    expect(await pin('1')).toBe(
      'generation 1 of tiny is pinned: no collection takes it\nno longer: npm run unpin tiny 1',
    )
    expect(await pin('1')).toBe('generation 1 of tiny was pinned already')
    expect(await unpin('1')).toBe('generation 1 of tiny goes when its time has come: npm run gc')
    expect(await unpin('1')).toBe('generation 1 of tiny was not pinned')
  })

  it.each(['one', '0', '1.5', '-1'])('refuse what is no number: %s', async (number) => {
    const { pin } = await bench(0)
    await expect(pin(number)).rejects.toMatchObject({
      message: `'${number}' is not the number of a generation`,
      hint: 'list them: npm run generations tiny',
    })
  })
})

describe('gc', () => {
  it('says what went and what stays', async () => {
    const { gc } = await bench(3)
    const [went, freed, kept] = (await gc({ keep: '1' })).split('\n')
    expect([went, kept]).toEqual(['forget generations 1, 2 of tiny', 'kept: generation 3 of tiny'])
    expect(freed).toMatch(/^free \d+ kB: \d+ objects, \d+ records, 0 toolchains$/)
  })

  it('says what would go, and leaves it', async () => {
    const { gc, list } = await bench(2)
    const before = await list()
    expect((await gc({ keep: '1', dryRun: true })).split('\n')[0]).toBe('would forget generation 1 of tiny')
    expect(await list()).toBe(before)
  })

  it('warns of a generation that has lost its graph', async () => {
    const { gc, store, reporter } = await bench(1)
    const { origin } = requireKept('tiny', generationNumbered(store.root, 'tiny', 1)).parts
    if (origin !== null) rmSync(store.path(origin.graph))
    await gc({})
    expect(reporter.warnings).toEqual([
      'generation 1 has lost its graph: what it was made from is not kept for its sake',
    ])
  })

  it('is fine with an empty store', async () => {
    const { gc } = await bench(0)
    expect(await gc({})).toBe('free 0 B: 0 objects, 0 records, 0 toolchains\nno generation is kept: there is none yet')
  })
})

describe('build --generation', () => {
  it('says what it put together, where, and how it gets onto a host', async () => {
    const { build, cliContext } = await bench(0)
    const { root: built } = await build('1')
    const said = await rebuildCommand({ ...cliContext, host: 'tiny', number: '1', network: 'offline' })
    expect(said).toMatch(
      new RegExp(
        `^tiny: generation 1 \\(${built.slice(0, 12)}\\), \\d+ kB in out/tiny, assembled as it was, written in `,
      ),
    )
    expect(said.split('\n')[1]).toBe('next: npm run vm tiny, or npm run flash tiny -- --no-build --allow-downgrade')
    expect(readFileSync(join(cliContext.project, 'out/tiny/SHA256SUMS'), 'utf8')).toContain('slot.img')
  })
})

describe('diff', () => {
  const diff = async (count: number, numbers: readonly string[], format: 'text' | 'json' = 'json') => {
    const { cliContext } = await bench(count)
    const said = await diffCommand({ ...cliContext, host: 'tiny', numbers, format, files: 'left out' })
    return format === 'json' ? JSON.parse(said) : said
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
  ])('of %j compares %j', async (numbers, pair) => {
    const { from, to } = await diff(3, numbers)
    expect([from.number, to.number]).toEqual(pair)
  })

  it.each<[number, string[], string]>([
    [1, [], 'tiny has 1 generations here that are more than a name: wanted two'],
    [2, ['1', '9'], 'this store has no generation 9 of tiny'],
    [2, ['1', '2', '2'], '3 generations at once: wanted two at most'],
  ])('among %i refuses %j', async (count, numbers, message) => {
    await expect(diff(count, numbers)).rejects.toThrow(message)
  })
})

describe('diff --against', () => {
  /** What builds left in two directories, of these generations. */
  async function laidOut(before: number, now: number) {
    const { cliContext, store } = await bench(2)
    const lay = async (number: number, directory: string) => {
      const { parts } = requireKept('tiny', generationNumbered(store.root, 'tiny', number))
      const manifest = parts.texts.find(({ name }) => name === 'manifest.json')
      mkdirSync(directory, { recursive: true })
      copyFileSync(store.path(manifest?.digest ?? digestOf('')), join(directory, 'manifest.json'))
    }
    const base = join(cliContext.project, 'base/out/tiny')
    await lay(before, base)
    await lay(now, join(cliContext.project, 'out/tiny'))
    const command = { ...cliContext, host: 'tiny', numbers: [], files: 'left out' } as const
    return { base, command: { ...command, against: 'base/out/tiny', format: 'markdown' as const } }
  }

  it('compares what lies in two directories, whatever was built last, as a comment has it', async () => {
    const { command } = await laidOut(2, 1)
    const [head, ...rest] = (await diffCommand(command)).split('\n')
    expect(head).toMatch(/^\*\*tiny: generation 2 .* -> generation 1 .*\*\*$/)
    expect([rest[1], rest.at(-1)]).toEqual(['```diff', '```'])
  })

  it('says so where both are the same image', async () => {
    const { command } = await laidOut(2, 2)
    expect(await diffCommand(command)).toContain('```diff\nno difference\n```')
  })

  it('refuses numbers beside it, and a directory that no build left', async () => {
    const { command, base } = await laidOut(1, 2)
    await expect(diffCommand({ ...command, numbers: ['1'] })).rejects.toThrow("'--against' and numbers of generations")
    writeFileSync(join(base, 'manifest.json'), '{}')
    await expect(diffCommand(command)).rejects.toThrow(`'${base}/manifest.json' belongs to no generation in this store`)
    rmSync(base, { recursive: true })
    await expect(diffCommand(command)).rejects.toThrow(`'${base}/manifest.json' does not exist`)
  })
})

describe('flags of a build', () => {
  it.each([
    [{}, undefined, { frozen: undefined, network: 'online' }],
    [{}, 'no-frozen', { frozen: 'no-frozen', network: 'online' }],
    [{ offline: true }, undefined, { frozen: 'frozen', network: 'offline' }],
    [{ offline: true, generation: '3' }, undefined, { frozen: 'frozen', network: 'offline' }],
  ] as const)('%j and %s mean %j', (flags, frozen, mode) => {
    expect(buildMode(flags, frozen)).toEqual(mode)
  })

  it.each([
    [{ offline: true }, 'no-frozen', "'--offline' and '--no-frozen' exclude each other"],
    [
      { generation: '3' },
      'frozen',
      "an earlier generation has a lock of its own: '--frozen' and '--no-frozen' say nothing about it",
    ],
  ] as const)('%j and %s exclude each other', (flags, frozen, message) => {
    expect(() => buildMode(flags, frozen)).toThrow(message)
  })
})
