import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generationsOf, recordGeneration } from '../../../builder/store/generations.ts'
import { digestOf } from '../../../images/digest.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const [ONE, TWO] = [digestOf('one'), digestOf('two')]
const FACTS = { built: '2026-11-23T12:00:00.000Z', revision: null }
const facts = async () => FACTS

describe("a host's generations", () => {
  it('are numbered from 1, and another host has its own', async () => {
    const root = await tempDirectory()
    expect(await recordGeneration(root, 'adama', ONE, facts)).toBe(1)
    expect(await recordGeneration(root, 'adama', TWO, facts)).toBe(2)
    expect(await recordGeneration(root, 'starbuck', TWO, facts)).toBe(1)
    expect(generationsOf(root, 'adama')).toEqual([
      { number: 1, root: ONE, ...FACTS },
      { number: 2, root: TWO, ...FACTS },
    ])
  })

  it('stay what they were when the same image is built again, and nobody asks git then', async () => {
    const root = await tempDirectory()
    await recordGeneration(root, 'adama', ONE, facts)
    const asked = () => Promise.reject(new Error('asked'))
    expect(await recordGeneration(root, 'adama', ONE, asked)).toBe(1)
    expect(generationsOf(root, 'adama')).toHaveLength(1)
  })

  it('get a new number when an older image comes back: it is the newest then', async () => {
    const root = await tempDirectory()
    for (const image of [ONE, TWO, ONE]) await recordGeneration(root, 'adama', image, facts)
    expect(generationsOf(root, 'adama').map((each) => each.root)).toEqual([ONE, TWO, ONE])
  })

  it('never share a number, however many are built at once', async () => {
    const root = await tempDirectory()
    const images = Array.from({ length: 8 }, (_, index) => digestOf(`image ${index}`))
    const numbers = await Promise.all(images.map((image) => recordGeneration(root, 'adama', image, facts)))
    expect([...numbers].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('are counted on after a record that nobody can read', async () => {
    const root = await tempDirectory()
    mkdirSync(join(root, 'generations/adama'), { recursive: true })
    writeFileSync(join(root, 'generations/adama/1.json'), '{"for')
    expect(await recordGeneration(root, 'adama', ONE, facts)).toBe(2)
    expect(generationsOf(root, 'adama').map(({ number }) => number)).toEqual([2])
  })
})
