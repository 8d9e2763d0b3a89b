import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  forgetParts,
  generationsOf,
  isKept,
  readGenerations,
  recordGeneration,
} from '../../../builder/generations/record.ts'
import { canonicalJson } from '../../../images/canonical.ts'
import { digestOf } from '../../../images/digest.ts'
import { parts } from '../../helpers/kept-generation.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const FACTS = { built: '2026-11-23T12:00:00.000Z', revision: null }
const LATER = '2026-11-24T12:00:00.000Z'

/** An image that a word identifies. Another `boot` gives another image with the same slot. */
const image = (word: string, boot = word) => ({
  identity: { root: digestOf(word), manifest: digestOf(`${boot} manifest.json`) },
  describe: async () => ({ ...FACTS, parts: parts(boot) }),
})

function record(root: string, host: string, { identity, describe }: ReturnType<typeof image>) {
  return recordGeneration(root, host, identity, describe)
}

/** A record of format 1, which has no parts. */
function writeOld(root: string, number: number, word: string) {
  mkdirSync(join(root, 'generations/adama'), { recursive: true })
  const text = `${canonicalJson({ format: 1, root: digestOf(word), ...FACTS })}\n`
  writeFileSync(join(root, `generations/adama/${number}.json`), text)
  return text
}

describe('recordGeneration', () => {
  it('numbers the generations of each host from 1', async () => {
    const root = await tempDirectory()
    expect(await record(root, 'adama', image('one'))).toBe(1)
    expect(await record(root, 'adama', image('two'))).toBe(2)
    expect(await record(root, 'starbuck', image('two'))).toBe(1)
    expect(generationsOf(root, 'adama')).toEqual([
      { number: 1, root: digestOf('one'), ...FACTS, parts: parts('one') },
      { number: 2, root: digestOf('two'), ...FACTS, parts: parts('two') },
    ])
  })

  it('keeps the record of an image that is built again, and does not run git again', async () => {
    const root = await tempDirectory()
    const one = image('one')
    await record(root, 'adama', one)
    const asked = () => Promise.reject(new Error('asked'))
    expect(await recordGeneration(root, 'adama', one.identity, asked)).toBe(1)
    expect(generationsOf(root, 'adama')).toHaveLength(1)
  })

  it('adds a generation when only the boot files differ', async () => {
    const root = await tempDirectory()
    expect(await record(root, 'adama', image('one'))).toBe(1)
    expect(await record(root, 'adama', image('one', 'other boot files'))).toBe(2)
  })

  it('adds a generation when an older image is built again', async () => {
    const root = await tempDirectory()
    for (const word of ['one', 'two', 'one']) await record(root, 'adama', image(word))
    const roots = generationsOf(root, 'adama').map((each) => each.root)
    expect(roots).toEqual(['one', 'two', 'one'].map((word) => digestOf(word)))
  })

  it('builds at the same time get different generation numbers', async () => {
    const root = await tempDirectory()
    const words = Array.from({ length: 8 }, (_, index) => `image ${index}`)
    const numbers = await Promise.all(words.map((word) => record(root, 'adama', image(word))))
    expect([...numbers].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(readdirSync(join(root, 'generations/adama'))).toHaveLength(8)
  })

  it('does not reuse the number of an unreadable record, and readGenerations reports the record', async () => {
    const root = await tempDirectory()
    writeOld(root, 1, 'one')
    writeFileSync(join(root, 'generations/adama/1.json'), '{"for')
    expect(await record(root, 'adama', image('one'))).toBe(2)
    expect(generationsOf(root, 'adama').map(({ number }) => number)).toEqual([2])
    expect(readGenerations(root, 'adama').unreadable).toEqual([
      { file: join(root, 'generations/adama/1.json'), why: expect.stringContaining('JSON') },
    ])
  })

  it.each([
    ['with an unknown format', { format: 3, root: digestOf('one'), ...FACTS }],
    ['with incomplete parts', { format: 2, root: digestOf('one'), ...FACTS, parts: { slotSize: 1 } }],
    [
      'with a part that has no digest',
      {
        format: 2,
        root: digestOf('one'),
        ...FACTS,
        parts: parts('one', { texts: [{ name: 'x', digest: 'x' as never, size: 1 }] }),
      },
    ],
  ])('skips a generation record %s', async (_, stored) => {
    const root = await tempDirectory()
    writeOld(root, 1, 'one')
    writeFileSync(join(root, 'generations/adama/1.json'), JSON.stringify(stored))
    expect(readGenerations(root, 'adama')).toEqual({ generations: [], unreadable: [expect.anything()] })
  })
})

describe('the record of a pulled image', () => {
  const { identity } = image('one')
  const pulled = parts('one', { origin: null })
  const recordAs = (root: string, known: typeof pulled, built = FACTS.built) =>
    recordGeneration(root, 'adama', identity, async () => ({ built, revision: null, parts: known }))

  it('adds the origin to the record of a pulled image when the same image is built here, and keeps the rest', async () => {
    const root = await tempDirectory()
    expect(await recordAs(root, pulled)).toBe(1)
    const built = parts('one', { texts: [{ name: 'manifest.json.sig', digest: digestOf('own'), size: 3 }] })
    expect(await recordAs(root, built, LATER)).toBe(1)
    const known = { ...pulled, origin: built.origin }
    expect(generationsOf(root, 'adama')).toEqual([{ number: 1, root: digestOf('one'), ...FACTS, parts: known }])
  })

  it('keeps the origin of a pulled image when it is pulled again', async () => {
    const root = await tempDirectory()
    const recorded = () => generationsOf(root, 'adama').map((each) => each.parts?.origin)
    for (const known of [pulled, pulled]) await recordAs(root, known, LATER)
    expect(recorded()).toEqual([null])
    for (const known of [parts('one'), pulled]) await recordAs(root, known)
    expect(recorded()).toEqual([parts('one').origin])
  })
})

describe('a record of format 1', () => {
  it('reads a record of format 1 as a generation without parts', async () => {
    const root = await tempDirectory()
    writeOld(root, 4, 'one')
    const [found] = generationsOf(root, 'adama')
    expect(found).toEqual({ number: 4, root: digestOf('one'), ...FACTS })
    expect(found !== undefined && isKept(found)).toBe(false)
  })

  it('adds parts to a record of format 1 when the same image is built again, and keeps its number and time', async () => {
    const root = await tempDirectory()
    writeOld(root, 4, 'one')
    const { identity } = image('one')
    const later = async () => ({ built: LATER, revision: 'f'.repeat(40), parts: parts('one') })
    expect(await recordGeneration(root, 'adama', identity, later)).toBe(4)
    expect(generationsOf(root, 'adama')).toEqual([{ number: 4, root: digestOf('one'), ...FACTS, parts: parts('one') }])
  })

  it('forgetParts leaves a record of format 1', async () => {
    const root = await tempDirectory()
    await record(root, 'adama', image('one'))
    const [found] = generationsOf(root, 'adama')
    if (found === undefined) throw new Error('nothing was recorded')
    await forgetParts(root, 'adama', found)
    const left = readFileSync(join(root, 'generations/adama/1.json'), 'utf8')
    expect(left).toBe(writeOld(await tempDirectory(), 1, 'one'))
  })
})
