import { describe, expect, it } from 'vitest'
import { parsePublicIdentity, publicIdentityText } from '../../../images/identity/public-identity.ts'
import { PUBLIC_LINES } from '../../helpers/small-identity.ts'

const [NEW = '', OLD = ''] = PUBLIC_LINES
const WHERE = 'hosts/tiny.identity.json'

describe('a public identity', () => {
  it('a public identity has a canonical text, with one line for each key if a line would be too long', () => {
    expect(publicIdentityText({ format: 1, ssh: [NEW], age: ['age1a'] })).toBe(
      `{\n  "age": ["age1a"],\n  "format": 1,\n  "ssh": ["${NEW}"]\n}\n`,
    )
    expect(publicIdentityText({ format: 1, ssh: [NEW, OLD], age: [] })).toBe(
      `{\n  "age": [],\n  "format": 1,\n  "ssh": [\n    "${NEW}",\n    "${OLD}"\n  ]\n}\n`,
    )
  })

  it('a public identity is the same after writing and parsing', () => {
    for (const value of [
      { format: 1 as const, ssh: [NEW], age: [] },
      { format: 1 as const, ssh: [NEW, OLD], age: ['age1a', 'age1b'] },
    ])
      expect(parsePublicIdentity(publicIdentityText(value), WHERE)).toEqual(value)
  })

  it.each([
    ['{', `identity '${WHERE}' is not JSON: `],
    ['{"format":2}', `identity '${WHERE}' has format 2, this hangar reads format 1`],
    ['null', `identity '${WHERE}' has format undefined`],
    ['{"format":1,"ssh":[],"age":[]}', `is damaged at 'ssh': `],
    ['{"format":1,"ssh":["ssh-rsa AAAA"],"age":[]}', `is damaged at 'ssh.0': expected 'ssh-ed25519 AAAA…'`],
    [`{"format":1,"ssh":["${NEW}"],"age":["AGE-SECRET-KEY-1"]}`, `is damaged at 'age.0': expected 'age1…'`],
    [`{"format":1,"ssh":["${NEW}"],"age":[],"more":1}`, 'is damaged at '],
  ])('refuses the public identity %s', (text, message) => {
    expect(() => parsePublicIdentity(text, WHERE)).toThrow(
      expect.objectContaining({
        code: 'format',
        message: expect.stringContaining(message),
        hint: `restore the file from git: git log ${WHERE}`,
      }),
    )
  })
})
