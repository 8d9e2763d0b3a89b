import { describe, expect, it } from 'vitest'
import { parseSecretName, secretFile } from '../../../images/secrets/secret-name.ts'

describe('parseSecretName', () => {
  it.each(['a', 'ca', 'zigbee2mqtt-network-key', 'certificate-adama-grafana', `a${'b'.repeat(127)}`])(
    'accepts %s',
    (name) => {
      expect(parseSecretName(name)).toBe(name)
    },
  )

  it.each(['', 'A', '1a', '-a', 'a-', '../a', 'a/b', 'a.age', 'a b', 'a\n', `a${'b'.repeat(128)}`])(
    'refuses %j',
    (name) => {
      expect(() => parseSecretName(name)).toThrow(
        expect.objectContaining({
          code: 'secret',
          message: expect.stringContaining('invalid name of a secret'),
          hint: 'use at most 128 lower-case letters, digits and hyphens; begin with a letter and do not end with a hyphen',
        }),
      )
    },
  )

  it('names a file of the project', () => {
    expect(secretFile(parseSecretName('ca'))).toBe('hosts/secrets/ca.age')
  })
})
