import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { requireSums } from '../../../../builder/runners/dagger/sums.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const b2 = (text: string) => createHash('blake2b512').update(text).digest('hex')

/** Compares the files `made` in the engine with the files that `arrived` on this machine. */
async function arrival(made: Record<string, string>, arrived: Record<string, string>) {
  const directory = join(await tempDirectory(), 'out')
  mkdirSync(directory)
  for (const [name, text] of Object.entries(arrived)) writeFileSync(join(directory, name), text)
  const said = Object.entries(made).map(([name, text]) => `${b2(text)}  ${name}\n`)
  return requireSums('base', directory, said.join(''))
}

describe('requireSums', () => {
  it('accepts files that arrived unchanged', async () => {
    await expect(arrival({ layer: 'text', 'a b': '' }, { layer: 'text', 'a b': '' })).resolves.toBeUndefined()
    await expect(arrival({}, {})).resolves.toBeUndefined()
  })

  it.each([
    ['another text', { layer: 'text' }, { layer: 'txet' }, b2('txet').slice(0, 16), b2('text').slice(0, 16)],
    ['a missing file', { layer: 'text' }, {}, 'missing', b2('text').slice(0, 16)],
    ['an additional file', {}, { layer: 'text' }, b2('text').slice(0, 16), 'missing'],
  ])('refuses files that arrived with %s', async (_, made, arrived, is, wanted) => {
    await expect(arrival(made, arrived)).rejects.toMatchObject({
      code: 'engine',
      message: `output 'layer' of derivation 'base' arrived with digest ${is}, wanted ${wanted}`,
      hint: expect.stringContaining('connection'),
    })
  })
})
