import { describe, expect, it } from 'vitest'
import { parseSecretRecords, secretRecordsText } from '../../../images/secrets/secret-records.ts'

const RECORD = {
  hosts: { adama: ['age1new', 'age1old'] },
  made: '2026-01-02T03:04:05.678Z',
  owner: 'age1owner',
  sha256: 'a'.repeat(64),
}

describe('the records of secrets', () => {
  it('records are the same after writing and parsing', () => {
    for (const records of [{}, { ca: { ...RECORD, hosts: {} }, 'grafana-password': RECORD }])
      expect(parseSecretRecords(secretRecordsText(records))).toEqual(records)
  })

  it.each([
    ['', 'is not JSON'],
    ['{"format":2,"secrets":{}}', 'has format 2, this hangar reads format 1'],
    [JSON.stringify({ format: 1, secrets: { ca: { ...RECORD, sha256: 'x' } } }), "is damaged at 'secrets.ca.sha256'"],
    [JSON.stringify({ format: 1, secrets: { ca: { ...RECORD, made: 'now' } } }), "is damaged at 'secrets.ca.made'"],
    [JSON.stringify({ format: 1, secrets: { ca: { ...RECORD, owner: 'AGE-SECRET-KEY-1' } } }), "expected 'age1…'"],
    [JSON.stringify({ format: 1, secrets: { ca: { ...RECORD, hosts: { adama: [] } } } }), 'is damaged at'],
    [JSON.stringify({ format: 1, secrets: { ca: { ...RECORD, text: 'clear' } } }), 'is damaged at'],
  ])('refuses the records %s', (text, message) => {
    expect(() => parseSecretRecords(text)).toThrow(
      expect.objectContaining({
        code: 'format',
        message: expect.stringContaining(message),
        hint: 'restore the file from git: git log hosts/secrets/secrets.json',
      }),
    )
  })
})
