import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { timesBetween } from '../../../../images/layers/base/build-times.ts'
import { unsuitableFiles } from '../../../../images/layers/base/made-files.ts'
import { walk } from '../../../../images/layers/parts/walk.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const KEY = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
const DH = '-----BEGIN DH PARAMETERS-----\nMIIBCAKCAQEA\n-----END DH PARAMETERS-----\n'
const NOON = Date.UTC(2026, 2, 5, 12, 30, 15)

type Files = Readonly<Record<string, string | Buffer>>

/** What `unsuitableFiles` says about files that scripts made, besides files that packages ship or helpers made. */
async function saidOf(made: Files, shipped: Files = {}, helped: Files = {}): Promise<string[]> {
  const root = await tempDirectory()
  write(root, shipped)
  const before = walk(root)
  write(root, helped)
  write(root, made)
  symlinkSync('/nowhere', `${root}/link`)
  const ran = { from: NOON, to: NOON + 90_000 }
  const paths = [...Object.keys(made), '/link']
  const found = unsuitableFiles({ root, made: paths, shipped: before, after: walk(root), ran })
  return found.map(({ path, reason }) => `${path}: ${reason}`)
}

function write(root: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(root + path), { recursive: true })
    writeFileSync(root + path, content)
    chmodSync(root + path, 0o600)
  }
}

describe('unsuitableFiles', () => {
  it.each<[string, string, Files]>([
    ['a private key', '/etc/x.key: it is a PEM private key', { '/etc/x.key': KEY }],
    [
      'a private key among text',
      '/etc/x.conf: it is a PEM private key',
      { '/etc/x.conf': `# ${'x'.repeat(9)}\n${KEY}` },
    ],
    ['DH parameters', '/etc/dh.pem: it is a file of random DH parameters', { '/etc/dh.pem': DH }],
    [
      'a database cluster of PostgreSQL',
      '/var/lib/postgresql/17/main/PG_VERSION: it is a database cluster of PostgreSQL',
      { '/var/lib/postgresql/17/main/PG_VERSION': '17\n', '/var/lib/postgresql/17/main/global/pg_control': '\0' },
    ],
    [
      'a database of MariaDB',
      '/var/lib/mysql/ibdata1: it is a database of MariaDB or MySQL',
      { '/var/lib/mysql/ibdata1': '\0', '/var/lib/mysql/mysql/user.frm': '\0' },
    ],
    [
      'the time of the build',
      "/etc/x.conf: it is a file that contains the time of the build ('5 Mar 2026 12:31')",
      { '/etc/x.conf': '# generated on Thu, 5 Mar 2026 12:31:02 +0000\n' },
    ],
  ])('refuses %s that a script made', async (_what, line, files) => {
    expect(await saidOf(files)).toEqual([line])
  })

  it('accepts keys that packages ship, and copies of them, because everybody has them', async () => {
    const shipped = { '/usr/lib/python3/test/keycert.pem': KEY, '/usr/share/x/dh.pem': DH }
    expect(await saidOf({ '/etc/x/example.pem': KEY, '/etc/x/dh.pem': DH }, shipped)).toEqual([])
  })

  it('refuses a copy of a key that the script of a helper made', async () => {
    const made = { '/etc/x.key': KEY }
    expect(await saidOf(made, {}, { '/etc/ssl/private/ssl-cert.key': KEY })).toHaveLength(1)
    const overwritten = { '/usr/share/x.pem': KEY }
    expect(await saidOf(made, { '/usr/share/x.pem': '# none\n' }, overwritten)).toHaveLength(1)
  })

  it('refuses a key with which a script overwrote a shipped file', async () => {
    expect(await saidOf({ '/etc/x.key': KEY }, { '/etc/x.key': '# none\n' })).toHaveLength(1)
  })

  it('accepts certificates, settings and text about keys', async () => {
    const files = {
      '/etc/ssl/certs/ca-certificates.crt': '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
      '/etc/shadow': 'root:*:20089:0:99999:7:::\n',
      '/etc/x.conf': `PG_VERSION=17\n# 2026-03-05: -----BEGIN PRIVATE KEY-----\nid ${randomUUID()}\n`,
      '/usr/share/x/PG_VERSION': '17\n',
    }
    expect(await saidOf(files)).toEqual([])
  })
})

describe('timesBetween', () => {
  const find = timesBetween(NOON, NOON + 90_000)

  it.each([
    '2026-03-05 12:30',
    '2026-03-05T12:31:44Z',
    'Thu Mar  5 12:30:15 UTC 2026',
    'Mar 05 12:31',
    '202603051230.15Z',
    '2026/03/05 12:31',
    `${NOON / 1000 + 3}`,
    `t=${NOON / 1000 + 90};`,
  ])('finds %s', (text) => {
    expect(find(`before ${text} after`)).toBeTypeOf('string')
  })

  it.each([
    '2026-03-05',
    '2026-03-05 12:29',
    '2026-03-05 12:32',
    'Mar 15 12:30',
    '20089',
    `${NOON / 1000 - 1}`,
    `${NOON / 1000 + 91}`,
    `1${NOON / 1000}`,
  ])('accepts %s', (text) => {
    expect(find(text)).toBeUndefined()
  })
})
