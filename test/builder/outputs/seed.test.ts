import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type OutputFile, summed, writeOutputs } from '../../../builder/outputs/outputs.ts'
import type { Reflink } from '../../../builder/outputs/seed.ts'
import { bytesSegment } from '../../../builder/outputs/segment.ts'
import { readState, writeState } from '../../../builder/outputs/state.ts'
import { BLOCK } from '../../../images/layout.ts'
import { tempDirectory } from '../../helpers/temp.ts'

/** One letter is one part of an image, and each part is worth sharing. A space is a hole. */
const PART = 16 * BLOCK

function image(letters: string): OutputFile {
  const segments = [...letters].flatMap((letter, at) =>
    letter === ' ' ? [] : [bytesSegment(at * PART, Buffer.alloc(PART, letter))],
  )
  return summed(undefined, letters.length * PART, segments)
}

function text(letters: string): string {
  return letters.replaceAll(' ', '\0')
}

/** The letters of an image, each one read from the first and the last byte of its part. */
function lettersIn(file: string): string {
  const bytes = readFileSync(file)
  const parts = Array.from({ length: bytes.length / PART }, (_, at) => bytes.subarray(at * PART, (at + 1) * PART))
  return parts
    .map((part) => (part.every((byte) => byte === part[0]) ? String.fromCharCode(part[0] ?? 1) : '?'))
    .join('')
}

/** The output directories of hosts. `clones` lists what was cloned; the clones are copies. */
async function bench() {
  const out = await tempDirectory()
  const clones: string[] = []
  const copy: Reflink = (from, to) => {
    clones.push(from.slice(out.length + 1))
    copyFileSync(from, to)
  }
  const write = async (host: string, letters: string, reflink: Reflink = copy) => {
    const directory = join(out, host)
    mkdirSync(directory, { recursive: true })
    const files = { [`${host}.img`]: image(letters) }
    await writeOutputs(directory, readState(directory), files, { reflink, atLeast: PART })
    return lettersIn(join(directory, `${host}.img`))
  }
  const file = (host: string) => join(out, host, `${host}.img`)
  return { out, clones, copy, write, file }
}

const LETTERS = ' abc'

/** A reproducible sequence of images of four parts. */
function* images(seed: number): Generator<string> {
  for (let state = seed; ; ) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    yield [0, 1, 2, 3].map((at) => LETTERS[(state >> (8 + 3 * at)) & 3]).join('')
  }
}

describe('the image of one of several hosts', () => {
  it('is a clone of the image with the most common blocks, patched to its own bytes', async () => {
    const { write, clones, file } = await bench()
    await write('adama', 'xbcd')
    await write('apollo', 'aycd')
    expect(await write('starbuck', 'abcd')).toBe('abcd')
    expect(await write('tigh', 'azcd')).toBe('azcd')
    expect(clones.slice(1)).toEqual(['adama/adama.img', 'apollo/apollo.img'])
    expect([lettersIn(file('adama')), lettersIn(file('apollo'))]).toEqual(['xbcd', 'aycd'])
  })

  it('is cloned again when another host already has the blocks of a new release', async () => {
    const { write, clones } = await bench()
    for (const host of ['adama', 'apollo']) await write(host, 'abcd')
    clones.length = 0
    expect(await write('adama', 'efgh')).toBe('efgh')
    expect(await write('apollo', 'efgx')).toBe('efgx')
    expect(clones).toEqual(['adama/adama.img'])
  })

  it('is patched in place when its own file has the same blocks', async () => {
    const { write, clones } = await bench()
    for (const host of ['adama', 'apollo']) await write(host, 'abcd')
    clones.length = 0
    expect(await write('apollo', 'abcx')).toBe('abcx')
    expect(clones).toEqual([])
  })

  it('has the right bytes for any images of other hosts, before and after', async () => {
    const { write } = await bench()
    const random = images(7)
    const hosts = ['adama', 'apollo', 'starbuck']
    for (let run = 0; run < 60; run += 1) {
      const [host = '', letters = ''] = [hosts[run % 3], random.next().value]
      expect(await write(host, letters), `run ${run}`).toBe(text(letters))
    }
  })
})

describe('a clone that cannot be made', () => {
  it('is replaced by the written file, and leaves nothing behind', async () => {
    const { write, out } = await bench()
    await write('adama', 'abcd')
    const refuse: Reflink = (_, to) => {
      writeFileSync(to, 'half')
      throw Object.assign(new Error('EOPNOTSUPP: operation not supported'), { code: 'EOPNOTSUPP' })
    }
    expect(await write('apollo', 'abcx', refuse)).toBe('abcx')
    expect(await write('apollo', 'abcd', refuse)).toBe('abcd')
    expect(readdirSync(join(out, 'apollo')).sort()).toEqual(['.state.json', 'SHA256SUMS', 'apollo.img'])
  })

  /** Another build that changes the image of adama just before it is cloned. */
  const overwriting =
    ({ copy, file }: Awaited<ReturnType<typeof bench>>, seconds: number): Reflink =>
    (from, to) => {
      writeFileSync(file('adama'), Buffer.alloc(4 * PART, '!'))
      utimesSync(file('adama'), seconds, seconds)
      copy(from, to)
    }

  /** Gives the image of adama a time that a test can restore. */
  async function setTime({ out, file }: Awaited<ReturnType<typeof bench>>, seconds: number): Promise<void> {
    const state = readState(join(out, 'adama'))
    utimesSync(file('adama'), seconds, seconds)
    const image = state['adama.img']
    if (image === undefined) throw new Error('adama has no image')
    await writeState(join(out, 'adama'), { ...state, 'adama.img': { ...image, mtimeMs: seconds * 1000 } })
  }

  it('is not used when another build changes the other image at the same time', async () => {
    const given = await bench()
    await given.write('adama', 'abcd')
    await setTime(given, 1_000_000_000)
    expect(await given.write('apollo', 'abcx', overwriting(given, 1_000_000_001))).toBe('abcx')
    expect(given.clones).toEqual(['adama/adama.img'])
  })

  it('is used if the other image has the same time again (negative control)', async () => {
    const given = await bench()
    await given.write('adama', 'abcd')
    await setTime(given, 1_000_000_000)
    expect(await given.write('apollo', 'abcx', overwriting(given, 1_000_000_000))).toBe('!!!x')
  })
})

describe('an image that becomes smaller', () => {
  const allocated = (file: string) => statSync(file).blocks * 512

  it('takes no more space on the disk than its segments', async () => {
    const { write, file } = await bench()
    for (const letters of ['abcd', 'ab  ', 'ebcd', 'ef d', 'e   ', ' b c', '  ab']) {
      await write('adama', letters)
      const parts = letters.replaceAll(' ', '').length
      expect(allocated(file('adama')), letters).toBeLessThanOrEqual(parts * PART + PART / 2)
    }
  })

  it('keeps later segments, and writes zeros before them, when they are larger than the freed space', async () => {
    const { write, file } = await bench()
    await write('adama', 'abcd')
    expect(await write('adama', ' bcd')).toBe('\0bcd')
    expect(allocated(file('adama'))).toBeGreaterThanOrEqual(4 * PART)
  })
})
