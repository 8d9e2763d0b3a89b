import { describe, expect, it } from 'vitest'
import { parseChallenge } from '../../../../builder/publish/registry/challenge.ts'

describe('parseChallenge', () => {
  it.each([
    ['Basic realm="x"', { scheme: 'basic' }],
    ['basic', { scheme: 'basic' }],
    [
      'Bearer realm="https://auth.lab/token",service="registry.lab",scope="repository:hangar:pull,push"',
      {
        ...{ scheme: 'bearer', realm: 'https://auth.lab/token', service: 'registry.lab' },
        scope: 'repository:hangar:pull,push',
      },
    ],
    ['Bearer realm=https://auth.lab/token', { scheme: 'bearer', realm: 'https://auth.lab/token' }],
    ['BEARER Realm = "a \\"b\\"" , Service = c', { scheme: 'bearer', realm: 'a "b"', service: 'c' }],
    ['Negotiate, Basic realm="x"', { scheme: 'basic' }],
    ['Bearer error="x", Basic realm="y"', { scheme: 'basic' }],
    ['Negotiate', undefined],
    ['Bearer scope="no realm"', undefined],
    ['', undefined],
    [undefined, undefined],
    ['"', undefined],
    [`${'a'.repeat(50_000)}"`, undefined],
  ])('reads the WWW-Authenticate header %j', (header, challenge) => {
    expect(parseChallenge(header)).toEqual(challenge)
  })
})
