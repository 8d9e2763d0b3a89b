import { describe, expect, it } from 'vitest'
import { parseBackupRepository } from '../../images/backup-repository.ts'

describe('parseBackupRepository', () => {
  it.each([
    'rest:https://starbuck.lab:8000/adama/',
    'sftp:backup@nas.lab:/srv/lab',
    'sftp:nas:lab',
    'sftp://backup@nas.lab:2222//srv/lab',
    's3:s3.example.org/bucket',
    's3:https://s3.example.org/bucket',
  ])('accepts %s', (text) => {
    expect(parseBackupRepository(text)).toBe(text)
  })

  it.each(['', '/backup', 'nas:/backup', 'rest:nas.lab', 'sftp:nas', 'rest:https://a b'])('refuses %j', (text) => {
    expect(() => parseBackupRepository(text)).toThrow(`'${text}' is not a repository that hangar supports`)
  })

  it('refuses a repository with a password, and does not show the password', () => {
    const parsing = () => parseBackupRepository('rest:https://me:geheim@nas.lab/')
    expect(parsing).toThrow('the repository contains a user and a password, and hosts/lab.ts is not secret')
    expect(parsing).not.toThrow('geheim')
  })
})
