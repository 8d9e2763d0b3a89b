import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { certificatesIn, isKeyOf, newPrivateKey, privateKeysIn } from '../../../builder/certificates/certificate.ts'
import { ensureCertificates } from '../../../builder/certificates/ensure.ts'
import { openSecret, storeSecret } from '../../../builder/secrets/secret-store.ts'
import { CA_SECRET, type CertificateNeed, certificateKeySecret } from '../../../images/certificates/need.ts'
import {
  type CertificateLab,
  certificateHost,
  certificateLab,
  certificateNeed,
  daysAfter,
  NOW,
} from '../../helpers/certificate-lab.ts'
import { rejection } from '../../helpers/rejection.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const NEED = certificateNeed()

async function newLab(env: NodeJS.ProcessEnv = {}) {
  const lab = await certificateLab(await tempDirectory(), env)
  const file = (name: string) => join(lab.project, 'hosts', name)
  return { lab, file, text: (name: string) => readFileSync(file(name), 'utf8') }
}

/** Runs a build's check of certificates on a day, and returns the certificate and what the owner reads. */
async function ensure(lab: CertificateLab, now = NOW, need: CertificateNeed = NEED) {
  const reporter = listReporter()
  const hosts = await ensureCertificates({ ...lab, now, reporter }, [certificateHost(need)])
  const { ca = '', issued = {} } = hosts.get('tiny') ?? {}
  return { ca, pem: issued[need.subject] ?? '', notices: reporter.notices, warnings: reporter.warnings }
}

const allFiles = (directory: string) =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((each) => each.isFile())
      .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), 'utf8')]),
  )

describe('the first build of a lab', () => {
  it('makes the CA and the certificate, with a notice for each', async () => {
    const { lab, text } = await newLab()
    const { ca, pem, notices, warnings } = await ensure(lab)
    expect(notices).toEqual([
      expect.stringMatching(
        /^made the CA of the lab, 'hangar CA [0-9a-f]{8}', valid until 2036-11-21; add hosts\/certificates and hosts\/secrets/,
      ),
      'issued certificate tiny-mosquitto; it is valid until 2029-02-26',
    ])
    expect(warnings).toEqual([])
    expect([ca, pem]).toEqual([text('certificates/ca.pem'), text('certificates/tiny-mosquitto.pem')])
  })

  it('encrypts the key of the CA to the owner only, and the key of the certificate to the host, too', async () => {
    const { lab, text } = await newLab()
    const { ca, pem } = await ensure(lab)
    const [authority, leaf] = [certificatesIn(ca, 'ca')[0], certificatesIn(pem, 'leaf')[0]]
    const [key = ''] = privateKeysIn(await openSecret(lab, CA_SECRET))
    expect(authority !== undefined && isKeyOf(key, authority)).toBe(true)
    const own = await openSecret(lab, certificateKeySecret(NEED))
    expect(own).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    expect(leaf !== undefined && isKeyOf(own, leaf)).toBe(true)
    const { secrets } = JSON.parse(text('secrets/secrets.json'))
    expect(secrets).toMatchObject({
      ca: { hosts: {} },
      'certificate-tiny-mosquitto': { hosts: { tiny: [expect.any(String)] } },
    })
  })

  it('writes no private key in clear text', async () => {
    const { lab } = await newLab()
    await ensure(lab)
    const keys = [await openSecret(lab, CA_SECRET), await openSecret(lab, certificateKeySecret(NEED))]
    const lines = keys.map((key) => key.split('\n')[1] ?? '')
    const files = Object.values(allFiles(join(lab.project, 'hosts')))
    expect(files.length).toBeGreaterThan(5)
    for (const each of files) for (const line of lines) expect(each).not.toContain(line)
    // Negative control: the search finds a key that is there.
    writeFileSync(join(lab.project, 'hosts/leak'), keys[0] ?? '')
    expect(Object.values(allFiles(join(lab.project, 'hosts'))).join()).toContain(lines[0])
  })

  it('makes nothing for hosts that do not use the CA', async () => {
    const { lab, file } = await newLab()
    const unused = { name: 'tiny', certificates: { ca: 'unused', needs: [] } } as const
    expect((await ensureCertificates(lab, [unused])).size).toBe(0)
    expect(existsSync(file('certificates'))).toBe(false)
  })

  it('makes the CA also for a host that only trusts it', async () => {
    const { lab } = await newLab()
    const hosts = await ensureCertificates(lab, [certificateHost()])
    expect(hosts.get('tiny')).toEqual({ ca: expect.stringContaining('BEGIN CERTIFICATE'), issued: {} })
  })

  it('makes nothing when CI=true, and names the command for the owner', async () => {
    const { lab, file } = await newLab({ CI: 'true' })
    expect(await rejection(ensure(lab))).toMatchObject({
      code: 'certificate',
      message: "the lab has no CA yet: 'hosts/certificates/ca.pem' does not exist, and hangar makes none when CI=true",
      hint: expect.stringContaining('npm run certs issue'),
    })
    expect(existsSync(file('certificates'))).toBe(false)
    expect(existsSync(file('secrets'))).toBe(false)
  })
})

describe('a later build', () => {
  it('changes nothing while the certificate is valid', async () => {
    const { lab } = await newLab()
    const { pem } = await ensure(lab)
    const before = allFiles(join(lab.project, 'hosts'))
    expect(await ensure(lab, daysAfter(500))).toMatchObject({ pem, notices: [], warnings: [] })
    expect(allFiles(join(lab.project, 'hosts'))).toEqual(before)
  })

  it('renews the certificate when a third of its lifetime is left, with the same key', async () => {
    const { lab, text } = await newLab()
    const { pem } = await ensure(lab)
    const secret = text('secrets/certificate-tiny-mosquitto.age')
    const due = daysAfter(825 - 1 - 275)
    expect((await ensure(lab, daysAfter(-1 / 86_400, due))).pem).toBe(pem)
    const renewed = await ensure(lab, due)
    expect(renewed.pem).not.toBe(pem)
    expect(renewed.notices).toEqual([
      'issued certificate tiny-mosquitto again, because it expires on 2029-02-26; it is valid until 2030-08-29',
    ])
    expect(text('secrets/certificate-tiny-mosquitto.age')).toBe(secret)
  })

  it.each<[string, Partial<CertificateNeed>, string]>([
    ['names', { names: { ...NEED.names, dns: ['localhost', 'tiny.lab'] } }, 'its names changed'],
    ['addresses', { names: { ...NEED.names, addresses: NEED.names.addresses.slice(1) } }, 'its names changed'],
    ['usages', { usages: ['server'] }, 'its usages changed'],
  ])('issues the certificate again when its %s change', async (_what, changes, reason) => {
    const { lab } = await newLab()
    const { pem } = await ensure(lab)
    const again = await ensure(lab, NOW, certificateNeed(changes))
    expect(again.notices.join()).toContain(`again, because ${reason}`)
    expect(again.pem).not.toBe(pem)
    expect(await ensure(lab, NOW, certificateNeed(changes))).toMatchObject({ pem: again.pem, notices: [] })
  })

  it('issues an expired certificate again', async () => {
    const { lab } = await newLab()
    await ensure(lab)
    expect((await ensure(lab, daysAfter(900))).notices.join()).toContain('because it expired on 2029-02-26')
  })

  it('issues a certificate again whose key is another one, or is missing', async () => {
    const { lab, file } = await newLab()
    await ensure(lab)
    await storeSecret(lab, certificateKeySecret(NEED), newPrivateKey(), ['tiny'])
    expect((await ensure(lab)).notices.join()).toContain('because it does not belong to its private key')
    rmSync(file('secrets/certificate-tiny-mosquitto.age'))
    const { notices, pem } = await ensure(lab)
    expect(notices.join()).toContain('because its private key is missing')
    const [leaf] = certificatesIn(pem, 'leaf')
    expect(leaf !== undefined && isKeyOf(await openSecret(lab, certificateKeySecret(NEED)), leaf)).toBe(true)
  })

  it('issues a certificate again that the CA of another lab issued', async () => {
    const [{ lab, file }, other] = [await newLab(), await newLab()]
    await ensure(lab)
    await ensure(other.lab)
    copyFileSync(other.file('certificates/tiny-mosquitto.pem'), file('certificates/tiny-mosquitto.pem'))
    expect((await ensure(lab)).notices.join()).toContain('because another CA issued it')
  })

  it('refuses a damaged certificate', async () => {
    const { lab, file, text } = await newLab()
    await ensure(lab)
    writeFileSync(
      file('certificates/tiny-mosquitto.pem'),
      text('certificates/tiny-mosquitto.pem').replace('MII', 'AAA'),
    )
    expect(await rejection(ensure(lab))).toMatchObject({
      message: "cannot read the certificate 'hosts/certificates/tiny-mosquitto.pem': it is damaged",
      hint: 'restore the file from git: git log hosts/certificates/tiny-mosquitto.pem',
    })
  })
})

describe('an interrupted build', () => {
  it('continues with the key of the CA that it left', async () => {
    const { lab, file } = await newLab()
    await ensure(lab)
    const key = await openSecret(lab, CA_SECRET)
    rmSync(file('certificates'), { recursive: true })
    const { notices } = await ensure(lab)
    expect(notices[0]).toMatch(/^finished the CA of the lab/)
    expect(await openSecret(lab, CA_SECRET)).toBe(key)
  })

  it('continues with the key of the certificate that it left', async () => {
    const { lab, file } = await newLab()
    await ensure(lab)
    const key = await openSecret(lab, certificateKeySecret(NEED))
    rmSync(file('certificates/tiny-mosquitto.pem'))
    expect((await ensure(lab)).notices).toEqual(['issued certificate tiny-mosquitto; it is valid until 2029-02-26'])
    expect(await openSecret(lab, certificateKeySecret(NEED))).toBe(key)
  })
})

describe("a machine without the owner's key", () => {
  const without = (lab: CertificateLab, env: NodeJS.ProcessEnv = {}) => ({
    ...lab,
    env: { XDG_CONFIG_HOME: join(lab.project, 'other'), ...env },
  })

  it.each([[{}], [{ CI: 'true' }]])(
    'builds with valid certificates, and warns about one that is due, with %j',
    async (env) => {
      const { lab } = await newLab()
      const { pem } = await ensure(lab)
      expect(await ensure(without(lab, env))).toMatchObject({ pem, warnings: [] })
      const due = await ensure(without(lab, env), daysAfter(700))
      expect(due).toMatchObject({ pem, notices: [] })
      expect(due.warnings).toEqual([
        "certificate tiny-mosquitto: it expires on 2029-02-26; renew it on the machine with the owner's keys: npm run certs issue",
      ])
    },
  )

  it('refuses to build with an expired certificate', async () => {
    const { lab } = await newLab()
    await ensure(lab)
    expect(await rejection(ensure(without(lab), daysAfter(900)))).toMatchObject({
      code: 'key',
      message: expect.stringContaining("cannot decrypt 'hosts/secrets/ca.age'"),
    })
    expect(await rejection(ensure(without(lab, { CI: 'true' }), daysAfter(900)))).toMatchObject({
      code: 'certificate',
      message:
        'hangar issues no certificates when CI=true, and these are unusable:\n  tiny-mosquitto: it expired on 2029-02-26',
      hint: expect.stringContaining('npm run certs issue'),
    })
  })

  it('builds with the key of another developer', async () => {
    const [{ lab }, other] = [await newLab(), await newLab()]
    const { pem } = await ensure(lab)
    const theirs = { ...lab, env: other.lab.env }
    expect(await ensure(theirs)).toMatchObject({ pem, warnings: [] })
    expect((await ensure(theirs, daysAfter(700))).warnings.join()).toContain('renew it on the machine')
  })
})
