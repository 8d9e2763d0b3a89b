import { describe, expect, it } from 'vitest'
import { parsePrivateIdentity, privateIdentityText, publicOf } from '../../../images/identity/private-identity.ts'
import { IDENTITY, PUBLIC_LINES } from '../../helpers/small-identity.ts'

const WHERE = 'hosts/tiny.identity.age'

describe('parsePrivateIdentity', () => {
  it('parsePrivateIdentity is the inverse of privateIdentityText', () => {
    expect(parsePrivateIdentity(privateIdentityText(IDENTITY), WHERE)).toEqual(IDENTITY)
  })

  it('publicOf returns the public half of a private identity, with the newest key first', () => {
    expect(publicOf(IDENTITY)).toEqual({ format: 1, ssh: PUBLIC_LINES, age: ['age1new', 'age1old'] })
  })

  it.each([
    ['a truncated text', (text: string) => text.slice(0, -20)],
    ['no keys', () => privateIdentityText({ ...IDENTITY, ssh: [] })],
    ['an invalid machine id', (text: string) => text.replace(IDENTITY.machineId, 'secret-id')],
  ])('refuses a private identity with %s, and its error contains nothing of the text', (_, change) => {
    let thrown: unknown
    try {
      parsePrivateIdentity(change(privateIdentityText(IDENTITY)), WHERE)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: 'format', message: expect.stringContaining(`identity '${WHERE}' is damaged`) })
    const shown = `${(thrown as Error).stack}${JSON.stringify(thrown)}${(thrown as Error).cause}`
    for (const secret of ['AGE-SECRET', 'PRIVATE KEY', IDENTITY.machineId, 'secret-id'])
      expect(shown).not.toContain(secret)
  })
})
