import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { formattedJson } from '../../images/formatted-json.ts'
import { PROJECT } from '../helpers/toolchain.ts'

/** The text as Biome formats it, with the project's settings. */
function byBiome(text: string): string {
  const command = ['node_modules/.bin/biome', 'format', '--stdin-file-path=hosts/secrets/secrets.json']
  return execFileSync(command[0] ?? '', command.slice(1), { cwd: PROJECT, input: text, encoding: 'utf8' })
}

describe('formattedJson', () => {
  it('writes JSON that `npm run format` does not change, with lists on both sides of the width of a line', () => {
    const lists = Array.from({ length: 20 }, (_, more) => ['a'.repeat(45), 'b'.repeat(45 + more)])
    const value = { name: 'x', none: [], empty: {}, deep: { list: { lists, 'short-list': ['a'] } }, number: 1 }
    const text = formattedJson(value)
    expect(JSON.parse(text)).toEqual(value)
    expect(byBiome(text)).toBe(text)
    expect(text.split('\n').some((line) => line.length === 120)).toBe(true)
  })

  it('sorts members by name', () => {
    expect(formattedJson({ b: 1, a: [true, null] })).toBe('{\n  "a": [true, null],\n  "b": 1\n}\n')
  })
})
