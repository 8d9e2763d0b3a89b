import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateUsage } from '../../images/certificates/need.ts'

/** A certificate and its key, in PEM. */
export interface Issued {
  readonly certificate: string
  readonly key: string
}

export interface CertificateRequest {
  readonly usages?: readonly CertificateUsage[]
  /** The names that a server has. */
  readonly names?: readonly string[]
  readonly lifetime?: 'valid' | 'expired'
}

/** A certificate authority of one test, made by openssl. */
export interface TestCa {
  /** Its own certificate, in PEM. */
  readonly certificate: string
  issue(subject: string, request?: CertificateRequest): Issued
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const
const PURPOSE = { server: 'serverAuth', client: 'clientAuth' } as const
// `openssl x509 -req` knows a lifetime only in days from now. `openssl ca` knows dates.
const DATES = {
  valid: ['20200101000000Z', '20990101000000Z'],
  expired: ['20200101000000Z', '20210101000000Z'],
} as const

export function testCa(parent: string, name = 'test CA'): TestCa {
  const directory = mkdtempSync(join(parent, 'ca-'))
  const at = (file: string) => join(directory, file)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  openssl('req', '-x509', ...NEW_KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', `/CN=${name}`, '-days', '30')
  writeFileSync(at('ca.conf'), CONFIGURATION)
  writeFileSync(at('index'), '')
  return {
    certificate: readFileSync(at('ca.pem'), 'utf8'),
    issue: (subject, { usages = ['client'] as const, names = [], lifetime = 'valid' } = {}) => {
      openssl('req', ...NEW_KEY, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', `/CN=${subject}`)
      const extensions = [
        `extendedKeyUsage=${usages.map((usage) => PURPOSE[usage]).join(',')}`,
        ...(names.length === 0 ? [] : [`subjectAltName=${names.map((each) => `DNS:${each}`).join(',')}`]),
      ]
      writeFileSync(at('extensions'), `${extensions.join('\n')}\n`)
      const [from, until] = DATES[lifetime]
      const signed = ['-in', 'request.pem', '-out', 'certificate.pem', '-extfile', 'extensions']
      openssl('ca', '-batch', '-notext', '-config', 'ca.conf', ...signed, '-startdate', from, '-enddate', until)
      return { certificate: readFileSync(at('certificate.pem'), 'utf8'), key: readFileSync(at('key.pem'), 'utf8') }
    },
  }
}

const CONFIGURATION = `[ca]
default_ca = test
[test]
database = index
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
rand_serial = yes
unique_subject = no
policy = names
[names]
commonName = supplied
`
