import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureCertificates } from '../../../builder/certificates/ensure.ts'
import { rotateAuthority } from '../../../builder/certificates/rotate-authority.ts'
import { openSecret } from '../../../builder/secrets/secret-store.ts'
import { CA_SECRET, certificateKeySecret, parseCertificateSubject } from '../../../images/certificates/need.ts'
import { certificateHost, certificateLab, certificateNeed, daysAfter, NOW } from '../../helpers/certificate-lab.ts'
import { foreignAuthority, issuedBy } from '../../helpers/mtls.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const SERVER = certificateNeed({ usages: ['server'] })
const CLIENT = certificateNeed({
  subject: parseCertificateSubject('zigbee2mqtt'),
  usages: ['client'],
  names: { dns: [], addresses: [] },
})

async function newLab(directory: string) {
  const lab = await certificateLab(directory)
  const issue = async (now = NOW) => {
    const hosts = await ensureCertificates({ ...lab, now }, [certificateHost(SERVER, CLIENT)])
    const { ca = '', issued = {} } = hosts.get('tiny') ?? {}
    return { ca, server: issued.mosquitto ?? '', client: issued.zigbee2mqtt ?? '' }
  }
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' }).toString()
  /** The output of `openssl verify`, also when it refuses the certificate. */
  const verify = (ca: string, leaf: string, options: readonly string[] = [], now = NOW) => {
    writeFileSync(join(directory, 'ca.pem'), ca)
    writeFileSync(join(directory, 'leaf.pem'), leaf)
    const strict = ['-x509_strict', '-attime', `${Math.floor(now.getTime() / 1000)}`, '-CAfile', 'ca.pem']
    try {
      return openssl('verify', ...strict, ...options, 'leaf.pem').trim()
    } catch (error) {
      return String((error as { stderr?: unknown }).stderr)
    }
  }
  return { lab, directory, issue, openssl, verify }
}

const SERVES = ['-purpose', 'sslserver']
const CONNECTS = ['-purpose', 'sslclient']

describe('openssl in its strict mode', () => {
  let made: Awaited<ReturnType<typeof newLab>>
  let issued: { ca: string; server: string; client: string }
  const directory = mkdtempSync(join(tmpdir(), 'hangar-test-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))
  beforeAll(async () => {
    made = await newLab(directory)
    issued = await made.issue()
  })

  it.each(['mosquitto.lab', 'tiny', 'tiny.lab', 'localhost'])('accepts the server under the name %s', (name) => {
    expect(made.verify(issued.ca, issued.server, [...SERVES, '-verify_hostname', name])).toBe('leaf.pem: OK')
  })

  it.each(['127.0.0.1', '192.0.2.10', '::1'])('accepts the server under the address %s', (address) => {
    expect(made.verify(issued.ca, issued.server, [...SERVES, '-verify_ip', address])).toBe('leaf.pem: OK')
  })

  it('accepts the client', () => {
    expect(made.verify(issued.ca, issued.client, CONNECTS)).toBe('leaf.pem: OK')
  })

  it('accepts the certificates from a day before they were issued', () => {
    expect(made.verify(issued.ca, issued.server, SERVES, daysAfter(-1))).toBe('leaf.pem: OK')
    expect(made.verify(issued.ca, issued.server, SERVES, daysAfter(-1.1))).toContain('certificate is not yet valid')
  })

  it('refuses an expired certificate', () => {
    expect(made.verify(issued.ca, issued.server, SERVES, daysAfter(825 - 1.1))).toBe('leaf.pem: OK')
    expect(made.verify(issued.ca, issued.server, SERVES, daysAfter(825))).toContain('certificate has expired')
  })

  it('refuses a wrong name, a wrong address and a wrong purpose', () => {
    const { ca, server, client } = issued
    expect(made.verify(ca, server, ['-verify_hostname', 'grafana.lab'])).toContain('hostname mismatch')
    expect(made.verify(ca, server, ['-verify_ip', '192.0.2.11'])).toContain('IP address mismatch')
    expect(made.verify(ca, server, CONNECTS)).toContain('unsuitable certificate purpose')
    expect(made.verify(ca, client, SERVES)).toContain('unsuitable certificate purpose')
  })

  it('refuses the certificates with another CA, also one of the same name', async () => {
    const other = await newLab(await tempDirectory())
    expect(made.verify((await other.issue()).ca, issued.server)).toContain('unable to get local issuer certificate')
    const name = made.openssl('x509', '-in', 'ca.pem', '-noout', '-subject', '-nameopt', 'multiline')
    const subject = /commonName *= (.*)/.exec(name)?.[1]
    const sameName = await foreignAuthority(NOW, subject)
    expect(made.verify(sameName.certificate, issued.server)).not.toContain('OK')
  })

  it('refuses a certificate that a server signed with its own key', async () => {
    const key = await openSecret(made.lab, certificateKeySecret(SERVER))
    const forged = await issuedBy({ certificate: issued.server, key }, 'zigbee2mqtt', {}, NOW)
    writeFileSync(join(made.directory, 'server.pem'), issued.server)
    expect(made.verify(issued.ca, forged.cert, ['-untrusted', 'server.pem'])).toContain('invalid CA certificate')
  })

  it('refuses a CA below the CA of the lab', async () => {
    const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
    write('issuer.pem', issued.ca)
    write('issuer.key', await openSecret(made.lab, CA_SECRET))
    const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']
    made.openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-subj', '/CN=below'],
      ...['-CA', 'issuer.pem', '-CAkey', 'issuer.key', '-keyout', 'below.key', '-out', 'below.pem'],
      ...extensions.flatMap((extension) => ['-addext', extension]),
    )
    const text = (name: string) => readFileSync(join(directory, name), 'utf8')
    const now = new Date()
    const leaf = await issuedBy({ certificate: text('below.pem'), key: text('below.key') }, 'zigbee2mqtt')
    expect(made.verify(issued.ca, leaf.cert, ['-untrusted', 'below.pem'], now)).toContain(
      'path length constraint exceeded',
    )
  })

  it('shows the extensions of the CA and of a certificate as critical where RFC 5280 demands it', () => {
    made.verify(issued.ca, issued.server)
    const text = (file: string) =>
      made
        .openssl('x509', '-in', file, '-noout', '-ext', 'basicConstraints,keyUsage,extendedKeyUsage')
        .replace(/\s+/g, ' ')
    expect(text('ca.pem')).toContain('Basic Constraints: critical CA:TRUE, pathlen:0')
    expect(text('ca.pem')).toContain('Key Usage: critical Certificate Sign, CRL Sign')
    expect(text('leaf.pem')).toContain('Basic Constraints: critical CA:FALSE')
    expect(text('leaf.pem')).toContain('Key Usage: critical Digital Signature')
    expect(text('leaf.pem')).toContain('Extended Key Usage: TLS Web Server Authentication')
  })
})

describe('a rotation of the CA', () => {
  it('leaves no moment at which a host refuses a certificate of another host', async () => {
    const { lab, issue, verify } = await newLab(await tempDirectory())
    const images = [await issue()]
    // The steps between which the owner updates all hosts, one after the other.
    for (const [days, step] of [
      [1, 'add'],
      [2, 'switch'],
      [3, 'remove'],
    ] as const) {
      expect(await rotateAuthority({ ...lab, now: daysAfter(days) }, 'rotate')).toBe(step)
      images.push(await issue(daysAfter(days)))
    }
    const [first, added, switched, removed] = images
    expect(added?.server).toBe(first?.server)
    expect(switched?.server).not.toBe(added?.server)
    expect(removed?.server).toBe(switched?.server)
    for (const [at, image] of images.entries()) {
      const neighbours = images.slice(Math.max(0, at - 1), at + 2)
      for (const other of neighbours) {
        expect(verify(image.ca, other.server, SERVES, daysAfter(3))).toBe('leaf.pem: OK')
        expect(verify(image.ca, other.client, CONNECTS, daysAfter(3))).toBe('leaf.pem: OK')
      }
    }
    // Negative control: without the overlap, hosts do not understand each other.
    expect(verify(first?.ca ?? '', removed?.server ?? '', SERVES, daysAfter(3))).not.toContain('OK')
    expect(verify(removed?.ca ?? '', first?.server ?? '', SERVES, daysAfter(3))).not.toContain('OK')
  })
})
