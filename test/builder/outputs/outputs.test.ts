import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { type OutputFile, summed, textFile, writeOutputs } from '../../../builder/outputs/outputs.ts'
import { bytesSegment } from '../../../builder/outputs/segment.ts'
import { type OutputState, readState, writeState } from '../../../builder/outputs/state.ts'
import { digestOf } from '../../../images/digest.ts'
import { BLOCK } from '../../../images/layout.ts'
import { type Cut, withCut } from '../../helpers/power-cut.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const power = vi.hoisted(() => ({ changes: 0, cutAt: 0, cut: 'before' as Cut, code: 'EIO' }))
vi.mock('node:fs', async (original) => {
  const { fsUnder } = await import('../../helpers/power-cut.ts')
  return fsUnder(power, await original())
})
vi.mock('node:fs/promises', async (original) => {
  const { fsPromisesUnder } = await import('../../helpers/power-cut.ts')
  return fsPromisesUnder(power, await original())
})

type Files = Readonly<Record<string, OutputFile>>

/** An image of eight blocks: a letter is a block filled with that letter, a space is a hole. */
function image(letters: string): OutputFile {
  const segments = [...letters].flatMap((letter, at) =>
    letter === ' ' ? [] : [bytesSegment(at * BLOCK, Buffer.alloc(BLOCK, letter))],
  )
  return summed(undefined, 8 * BLOCK, segments)
}

const OLD: Files = { 'slot.img': image('abc   d '), 'boot.img': image('a  b'), 'manifest.json': textFile('{"old":1}') }
/** Files with the same names and sizes, but other bytes. */
const NEW: Files = { 'slot.img': image('axc  d  '), 'boot.img': image('a  y'), 'manifest.json': textFile('{"new":1}') }
const NOTHING: Files = {}
const SIGNED: Files = { ...OLD, 'manifest.json.sig': textFile('signature\n') }

function write(directory: string, files: Files) {
  return writeOutputs(directory, readState(directory), files)
}

/** The digest of every file in a directory, except for the state. */
function contents(directory: string): Record<string, string> {
  const names = readdirSync(directory).filter((name) => !name.startsWith('.state.json'))
  return Object.fromEntries(names.map((name) => [name, digestOf(readFileSync(join(directory, name)))]))
}

async function fresh(files: Files): Promise<Record<string, string>> {
  const directory = await tempDirectory()
  await write(directory, files)
  return contents(directory)
}

async function changesFrom(before: Files, after: Files): Promise<number> {
  const directory = await tempDirectory()
  await write(directory, before)
  power.changes = 0
  await write(directory, after)
  return power.changes
}

describe('an interrupted writeOutputs', () => {
  const runs: [string, Files, Files][] = [
    ['a changed image', OLD, NEW],
    ['the first signature', OLD, SIGNED],
    ['the last signature', SIGNED, OLD],
    ['everything', NOTHING, SIGNED],
  ]
  const cuts = runs.flatMap(([name, before, after]) =>
    (['before', 'halfway'] as const).map((cut) => ({ name, cut, before, after })),
  )
  it.each(cuts)(
    'a run that stops $cut any write of $name is repaired by the same run, and by the previous run',
    async (given) => {
      const { before, after, cut } = given
      const changes = await changesFrom(before, after)
      expect(changes).toBeGreaterThan(8)
      for (const next of before === NOTHING ? [after] : [before, after]) {
        const wanted = await fresh(next)
        for (let at = 1; at <= changes; at += 1) {
          const directory = await tempDirectory()
          await write(directory, before)
          expect(await withCut(power, { at, cut }, () => write(directory, after)), `change ${at}`).toBeInstanceOf(Error)
          await write(directory, next)
          expect(contents(directory), `after change ${at} of ${changes}`).toEqual(wanted)
          expect(await write(directory, next)).toBe('unchanged')
        }
      }
    },
  )

  it('an interrupted run counts as complete if it keeps the state (negative control)', async () => {
    const wanted = await fresh(OLD)
    const unnoticed: number[] = []
    for (let at = 1; at <= (await changesFrom(OLD, NEW)); at += 1) {
      const directory = await tempDirectory()
      await write(directory, OLD)
      const state = readState(directory)
      await withCut(power, { at, cut: 'halfway' }, () => write(directory, NEW))
      await remember(directory, state)
      await write(directory, OLD)
      if (JSON.stringify(contents(directory)) !== JSON.stringify(wanted)) unnoticed.push(at)
    }
    expect(unnoticed.length).toBeGreaterThan(5)
  })
})

const OLD_TIME = 1_000_000_000

/** Hides an interruption: restores the old state, and the old time of every file. */
async function remember(directory: string, state: OutputState): Promise<void> {
  const entries = Object.entries(state).map(([name, file]) => {
    utimesSync(join(directory, name), OLD_TIME, OLD_TIME)
    return [name, { ...file, mtimeMs: OLD_TIME * 1000 }] as const
  })
  await writeState(directory, Object.fromEntries(entries))
}

describe('writeOutputs', () => {
  it('patches an existing directory to the bytes of a fresh one', async () => {
    const directory = await tempDirectory()
    for (const files of [OLD, NEW, SIGNED, OLD]) {
      await write(directory, files)
      expect(contents(directory)).toEqual(await fresh(files))
    }
  })

  it('keeps output files that hangar did not write', async () => {
    const directory = await tempDirectory()
    writeFileSync(join(directory, 'notes.txt'), 'mine')
    mkdirSync(join(directory, 'mine'))
    for (const files of [OLD, SIGNED, OLD]) await write(directory, files)
    expect(readFileSync(join(directory, 'notes.txt'), 'utf8')).toBe('mine')
    expect(readdirSync(directory)).toContain('mine')
  })
})

describe('writeOutputs on a full disk', () => {
  it('a full disk ends the run with the size of the files, and the next run continues', async () => {
    const directory = await tempDirectory()
    const failure = await withCut(power, { at: 6, cut: 'halfway', code: 'ENOSPC' }, () => write(directory, OLD))
    expect(failure).toMatchObject({
      name: 'UserError',
      message: `cannot write '${directory}': the disk is full, the files take 33 kB`,
      hint: expect.stringContaining(`df -h '${directory}'`),
    })
    await write(directory, OLD)
    expect(contents(directory)).toEqual(await fresh(OLD))
  })

  it('rethrows all errors except a full disk', async () => {
    const directory = await tempDirectory()
    const failure = await withCut(power, { at: 6, cut: 'before' }, () => write(directory, OLD))
    expect(failure).toMatchObject({ name: 'Error', code: 'EIO' })
  })
})
