import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { authorities, authorityKeys } from '../../../builder/certificates/authority.ts'
import { certificatesIn, isIssuedBy, isKeyOf } from '../../../builder/certificates/certificate.ts'
import { ensureForAll } from '../../../builder/certificates/ensure-all.ts'
import { certificateFor } from '../../../builder/certificates/leaf.ts'
import { listAuthorities, listCertificates } from '../../../builder/certificates/list.ts'
import { rotateCertificate } from '../../../builder/certificates/rotate.ts'
import type { AuthorityStep } from '../../../builder/certificates/rotate-authority.ts'
import { rotateAuthority } from '../../../builder/certificates/rotate-authority.ts'
import { certificateNamed } from '../../../cli/lab-certificates.ts'
import { authoritiesText, certificatesText, issuedText, rotatedText, stepText } from '../../../cli/text/certificates.ts'
import { CA_SECRET } from '../../../images/certificates/need.ts'
import { secretFile } from '../../../images/secrets/secret-name.ts'
import {
  type CertificateLab,
  certificateHost,
  certificateLab,
  certificateNeed,
  daysAfter,
} from '../../helpers/certificate-lab.ts'
import { rejection } from '../../helpers/rejection.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const NEED = certificateNeed()
const HOSTS = [certificateHost(NEED)]

const newLab = async () => certificateLab(await tempDirectory())
const at = (lab: CertificateLab, days: number) => ({ ...lab, now: daysAfter(days) })
/** The CAs have random names. */
const withoutNames = (text: string) => text.replace(/hangar CA [0-9a-f]{8}/g, 'hangar CA XXXXXXXX')

describe('npm run certs', () => {
  it('lists missing certificates, and the command that issues them', async () => {
    const lab = await newLab()
    expect(certificatesText(await listCertificates(lab, [NEED]))).toMatchInlineSnapshot(`
      "certificate     subject    host  usages         from  until  state    names
      tiny-mosquitto  mosquitto  tiny  client server               missing  localhost mosquitto.lab tiny tiny.lab 127.0.0.1 192.0.2.10 ::1

      the next build issues or renews certificates; to do it now: npm run certs issue"
    `)
    expect(certificatesText(await listCertificates(lab, []))).toBe('no service of the lab needs a certificate')
  })

  it('lists the CA, valid, due and expired certificates, and files that no service needs', async () => {
    const lab = await newLab()
    await ensureForAll(lab, HOSTS)
    const list = async (days: number) => withoutNames(certificatesText(await listCertificates(at(lab, days), [NEED])))
    expect(await list(0)).toMatchInlineSnapshot(`
      "CA                  from        until       state
      hangar CA XXXXXXXX  2026-11-24  2036-11-21  issues

      certificate     subject    host  usages         from        until       state  names
      tiny-mosquitto  mosquitto  tiny  client server  2026-11-24  2029-02-26  valid  localhost mosquitto.lab tiny tiny.lab 127.0.0.1 192.0.2.10 ::1"
    `)
    expect(await list(600)).toContain('due: it expires on 2029-02-26')
    expect(await list(900)).toContain('unusable: it expired on 2029-02-26')
    writeFileSync(join(lab.project, 'hosts/certificates/gone-grafana.pem'), '')
    expect(await list(0)).toMatch(/^hosts\/certificates\/gone-grafana.pem .* unused by every service$/m)
  })
})

describe('npm run certs issue', () => {
  it('issues what is missing, and names the files to commit', async () => {
    const lab = await newLab()
    expect(issuedText(await ensureForAll(lab, HOSTS))).toBe(
      '1 certificate is valid\nadd to the repository: git add hosts/certificates hosts/secrets',
    )
    expect(lab.reporter.notices).toHaveLength(2)
  })

  it('makes the identities of the hosts of a new lab', async () => {
    const lab = await newLab()
    for (const name of ['tiny.identity.json', 'tiny.identity.age']) rmSync(join(lab.project, 'hosts', name))
    await ensureForAll(lab, HOSTS)
    expect(lab.reporter.notices[0]).toMatch(/^made the identity of tiny/)
  })
})

describe('npm run certs rotate', () => {
  it('makes a new key and a new certificate', async () => {
    const lab = await newLab()
    await ensureForAll(lab, HOSTS)
    const before = certificateFor(lab.project, NEED)
    const secret = () => readFileSync(join(lab.project, 'hosts/secrets/certificate-tiny-mosquitto.age'), 'utf8')
    const sealed = secret()
    const after = await rotateCertificate(lab, NEED)
    expect(after.x509.publicKey.equals(before?.x509.publicKey as never)).toBe(false)
    expect(secret()).not.toBe(sealed)
    expect((await listCertificates(lab, [NEED])).certificates).toMatchObject([{ state: { kind: 'valid' } }])
    expect(rotatedText(NEED, after)).toMatchInlineSnapshot(`
      "tiny-mosquitto has a new private key and a new certificate, valid until 2029-02-26
      add to the repository: git add hosts/certificates/tiny-mosquitto.pem hosts/secrets/certificate-tiny-mosquitto.age hosts/secrets/secrets.json
      next: npm run flash tiny"
    `)
  })

  it('suggests the certificate that the user meant', async () => {
    expect(await rejection(certificateNamed(HOSTS, 'tiny-mosqitto'))).toMatchObject({
      message: "no certificate 'tiny-mosqitto'; the lab has: tiny-mosquitto",
      hint: "did you mean 'tiny-mosquitto'?",
    })
    expect((await certificateNamed(HOSTS, 'tiny-mosquitto')).subject).toBe('mosquitto')
  })

  it('makes nothing when CI=true', async () => {
    const lab = await newLab()
    await ensureForAll(lab, HOSTS)
    const ci = { ...lab, env: { ...lab.env, CI: 'true' } }
    expect(() => rotateCertificate(ci, NEED)).toThrow(
      'cannot make the certificate tiny-mosquitto: hangar makes no keys when CI=true',
    )
    expect(() => rotateAuthority(ci, 'rotate')).toThrow('cannot make a CA: hangar makes no keys when CI=true')
  })
})

describe('npm run certs ca', () => {
  const text = (lab: CertificateLab) =>
    withoutNames(authoritiesText(listAuthorities(authorities(lab.project), lab.now)))
  const step = (lab: CertificateLab, goal: 'rotate' | 'replace' = 'rotate') => rotateAuthority(lab, goal)

  it('shows the CA and where its key is', async () => {
    const lab = await newLab()
    expect(text(lab)).toBe('the lab has no CA yet: a build makes it when a service first needs a certificate')
    await ensureForAll(lab, HOSTS)
    expect(text(lab)).toMatchInlineSnapshot(`
      "CA                  from        until       state
      hangar CA XXXXXXXX  2026-11-24  2036-11-21  issues
      keys: hosts/secrets/ca.age, encrypted to you only"
    `)
  })

  it('takes one step of a rotation at a time, and forgets the key of the former CA last', async () => {
    const lab = await newLab()
    await ensureForAll(lab, HOSTS)
    const steps: [AuthorityStep, number, number][] = []
    for (const days of [1, 2, 3, 4]) {
      const done = await step(at(lab, days))
      await ensureForAll(at(lab, days), HOSTS)
      steps.push([done, authorities(lab.project).length, (await authorityKeys(lab)).length])
    }
    expect(steps).toEqual([
      ['add', 2, 2],
      ['switch', 2, 2],
      ['remove', 1, 1],
      ['add', 2, 2],
    ])
    const [issuing] = authorities(lab.project)
    expect(issuing !== undefined && isKeyOf((await authorityKeys(lab))[1] ?? '', issuing)).toBe(true)
  })

  it('names the next step while a rotation is under way', async () => {
    const lab = await newLab()
    await ensureForAll(lab, HOSTS)
    const done = await step(at(lab, 1))
    expect(text(at(lab, 1))).toContain(
      "next step, when all hosts run an image of this one: npm run certs ca -- --rotate, to issue all certificates with 'hangar CA XXXXXXXX'",
    )
    expect(
      withoutNames(stepText(done, listAuthorities(authorities(lab.project), daysAfter(1)), ['tiny'])),
    ).toMatchInlineSnapshot(`
      "made a second CA: hosts will trust both, and the first one still issues certificates
      CA                  from        until       state
      hangar CA XXXXXXXX  2026-11-24  2036-11-21  issues
      hangar CA XXXXXXXX  2026-11-25  2036-11-22  trusted
      add to the repository: git add hosts/certificates hosts/secrets
      next: npm run flash tiny
      when all hosts run such an image: npm run certs ca -- --rotate"
    `)
  })

  it('replaces the CA and all certificates at once when its key is stolen', async () => {
    const lab = await newLab()
    await ensureForAll(lab, HOSTS)
    const [former] = authorities(lab.project)
    const formerKeys = await authorityKeys(lab)
    expect(await step(at(lab, 1), 'replace')).toBe('replace')
    const hosts = await ensureForAll(at(lab, 1), HOSTS)
    const [leaf] = certificatesIn(hosts.get('tiny')?.issued.mosquitto ?? '', 'leaf')
    const [ca, ...others] = authorities(lab.project)
    if (leaf === undefined || ca === undefined || former === undefined) throw new Error('no certificates')
    expect(others).toEqual([])
    expect([isIssuedBy(leaf, ca), isIssuedBy(leaf, former)]).toEqual([true, false])
    expect(await authorityKeys(lab)).not.toContain(formerKeys[0])
  })

  it('replaces the CA and all private keys after the owner has lost the age key', async () => {
    const lab = await newLab()
    await ensureForAll(lab, HOSTS)
    for (const lost of ['hosts/secrets', 'config']) rmSync(join(lab.project, lost), { recursive: true })
    expect(await step(at(lab, 1), 'replace')).toBe('replace')
    await ensureForAll(at(lab, 1), HOSTS)
    expect((await listCertificates(at(lab, 1), [NEED])).certificates).toMatchObject([{ state: { kind: 'valid' } }])
  })

  it('replaces an expired CA in one step', async () => {
    const lab = await newLab()
    await ensureForAll(lab, HOSTS)
    expect(await step(at(lab, 3700))).toBe('replace')
    expect(await ensureForAll(at(lab, 3700), HOSTS)).toBeDefined()
  })

  it('rotates a CA whose key is lost, with the overlap', async () => {
    const lab = await newLab()
    await ensureForAll(lab, HOSTS)
    rmSync(join(lab.project, secretFile(CA_SECRET)))
    expect(await step(at(lab, 1))).toBe('add')
    await ensureForAll(at(lab, 1), HOSTS)
    expect(await step(at(lab, 2))).toBe('switch')
    await ensureForAll(at(lab, 2), HOSTS)
    expect((await listCertificates(at(lab, 2), [NEED])).certificates).toMatchObject([{ state: { kind: 'valid' } }])
  })

  it('never uses the key of a former CA again after an interrupted step', async () => {
    const lab = await newLab()
    await ensureForAll(lab, HOSTS)
    const [former = ''] = await authorityKeys(lab)
    await step(at(lab, 1))
    await step(at(lab, 2))
    // The state after `remove` has written the certificates, and before it forgets the key.
    const [issuing] = authorities(lab.project)
    writeFileSync(join(lab.project, 'hosts/certificates/ca.pem'), issuing?.pem ?? '')
    expect(await authorityKeys(lab)).toContain(former)
    expect(await step(at(lab, 3))).toBe('add')
    const made = authorities(lab.project)
    expect(made).toHaveLength(2)
    expect(made.filter((each) => isKeyOf(former, each))).toEqual([])
    expect(await authorityKeys(lab)).not.toContain(former)
  })
})
