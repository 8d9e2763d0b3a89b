import { describe, expect, it } from 'vitest'
import { formatIndex, parseIndex, placeLayers } from '../../../images/slot/index.ts'

const layers = placeLayers([
  { name: 'base', size: 3 * 4096 },
  { name: 'container-mosquitto', size: 4096 },
  { name: 'host', size: 2 * 4096 },
])

const block = (text: string) => Buffer.alloc(4096).fill(text, 0, text.length)

describe('placing layers', () => {
  it('lays them end to end after the one block of the index', () => {
    expect(layers).toEqual([
      { name: 'base', first: 1, blocks: 3 },
      { name: 'container-mosquitto', first: 4, blocks: 1 },
      { name: 'host', first: 5, blocks: 2 },
    ])
  })

  it('refuses a layer that is not whole blocks', () => {
    expect(() => placeLayers([{ name: 'base', size: 4097 }])).toThrow(
      "layer 'base' has 4097 bytes, wanted whole blocks of 4096",
    )
  })
})

describe('a slot’s index', () => {
  it('is one block of lines that a shell reads, filled up with zeros', () => {
    const bytes = Buffer.from(formatIndex(layers))
    const text = 'hangar-slot 1\nbase 1 3\ncontainer-mosquitto 4 1\nhost 5 2\nend\n'
    expect(bytes).toEqual(block(text))
  })

  it('is the same after being written and read', () => {
    expect(parseIndex(formatIndex(layers))).toEqual(layers)
  })

  it('is read although the slot goes on behind it', () => {
    expect(parseIndex(Buffer.concat([formatIndex(layers), Buffer.alloc(4096, 'end\n')]))).toEqual(layers)
  })

  it('of another format version is refused with what to do', () => {
    expect(() => parseIndex(block('hangar-slot 2\nbase 1 3\nend\n'))).toThrow(
      expect.objectContaining({
        code: 'format',
        message: "slot index begins with 'hangar-slot 2', this hangar reads 'hangar-slot 1'",
        hint: 'build the image again, or use the hangar that wrote it',
      }),
    )
  })

  it('that is cut short or says something else is refused', () => {
    expect(() => parseIndex(block('hangar-slot 1\nbase 1 3\n'))).toThrow(
      expect.objectContaining({
        message: "slot index has no line 'end'",
        hint: 'the slot is damaged: write it again',
      }),
    )
    expect(() => parseIndex(block('hangar-slot 1\nbase one 3\nend\n'))).toThrow(
      "slot index has the line 'base one 3', wanted NAME FIRST BLOCKS",
    )
  })

  it('has room for the layers of some hundred services and says so when they are more', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ name: `container-service-number-${at}`, first: at, blocks: 1 }))
    expect(parseIndex(formatIndex(many(100)))).toHaveLength(100)
    expect(() => formatIndex(many(200))).toThrow(/index takes \d+ bytes, it has 4096: too many layers \(200\)/)
  })
})
