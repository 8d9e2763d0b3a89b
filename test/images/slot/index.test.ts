import { describe, expect, it } from 'vitest'
import { formatIndex, parseIndex, placeLayers } from '../../../images/slot/index.ts'

const layers = placeLayers([
  { name: 'base', size: 3 * 4096 },
  { name: 'container-mosquitto', size: 4096 },
  { name: 'host', size: 2 * 4096 },
])

const block = (text: string) => Buffer.alloc(4096).fill(text, 0, text.length)

describe('placeLayers', () => {
  it('places layers end to end after the index', () => {
    expect(layers).toEqual([
      { name: 'base', first: 1, blocks: 3 },
      { name: 'container-mosquitto', first: 4, blocks: 1 },
      { name: 'host', first: 5, blocks: 2 },
    ])
  })

  it('refuses a layer whose size is not a multiple of the block size', () => {
    expect(() => placeLayers([{ name: 'base', size: 4097 }])).toThrow(
      "layer 'base' has 4097 bytes, expected a multiple of 4096",
    )
  })
})

describe('the index of a slot', () => {
  it('the index is one block of text lines, padded with zeros', () => {
    const bytes = Buffer.from(formatIndex(layers))
    const text = 'hangar-slot 1\nbase 1 3\ncontainer-mosquitto 4 1\nhost 5 2\nend\n'
    expect(bytes).toEqual(block(text))
  })

  it('the index is the same after writing and parsing', () => {
    expect(parseIndex(formatIndex(layers))).toEqual(layers)
  })

  it('parses the index from the start of a larger slot', () => {
    expect(parseIndex(Buffer.concat([formatIndex(layers), Buffer.alloc(4096, 'end\n')]))).toEqual(layers)
  })

  it('refuses an index of an unknown format, with a hint', () => {
    expect(() => parseIndex(block('hangar-slot 2\nbase 1 3\nend\n'))).toThrow(
      expect.objectContaining({
        code: 'format',
        message: "the slot's index begins with 'hangar-slot 2', expected 'hangar-slot 1'",
        hint: 'build the image again, or use the version of hangar that wrote it',
      }),
    )
  })

  it('refuses an index that is truncated or has an invalid line', () => {
    expect(() => parseIndex(block('hangar-slot 1\nbase 1 3\n'))).toThrow(
      expect.objectContaining({
        message: "the slot's index has no line 'end'",
        hint: 'the slot is damaged: write it again',
      }),
    )
    expect(() => parseIndex(block('hangar-slot 1\nbase one 3\nend\n'))).toThrow(
      "the slot's index has the line 'base one 3', expected NAME FIRST BLOCKS",
    )
  })

  it('the index has space for 100 layers, and refuses 200', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ name: `container-service-number-${at}`, first: at, blocks: 1 }))
    expect(parseIndex(formatIndex(many(100)))).toHaveLength(100)
    expect(() => formatIndex(many(200))).toThrow(
      /too many layers \(200\): the slot's index needs \d+ bytes, but has 4096/,
    )
  })
})
