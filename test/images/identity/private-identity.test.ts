import { describe, expect, it } from 'vitest'
import { parsePrivateIdentity, privateIdentityText, publicOf } from '../../../images/identity/private-identity.ts'
import { IDENTITY, PUBLIC_LINES } from '../../helpers/small-identity.ts'

const WHERE = 'hosts/tiny.identity.age'

describe('the private half of an identity', () => {
  it('is read back as it was', () => {
    expect(parsePrivateIdentity(privateIdentityText(IDENTITY), WHERE)).toEqual(IDENTITY)
  })

  it('tells its public half, the newest key first', () => {
    expect(publicOf(IDENTITY)).toEqual({ format: 1, ssh: PUBLIC_LINES, age: ['age1new', 'age1old'] })
  })

  it.each([
    ['cut short', (text: string) => text.slice(0, -20)],
    ['without keys', () => privateIdentityText({ ...IDENTITY, ssh: [] })],
    ['with another machine id', (text: string) => text.replace(IDENTITY.machineId, 'secret-id')],
  ])('that is %s is refused without a word of what is in it', (_, change) => {
    let thrown: unknown
    try {
      parsePrivateIdentity(change(privateIdentityText(IDENTITY)), WHERE)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: 'format', message: expect.stringContaining(`identity '${WHERE}' is damaged`) })
    const said = `${(thrown as Error).stack}${JSON.stringify(thrown)}${(thrown as Error).cause}`
    for (const secret of ['AGE-SECRET', 'PRIVATE KEY', IDENTITY.machineId, 'secret-id'])
      expect(said).not.toContain(secret)
  })
})
