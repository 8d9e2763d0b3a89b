import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { certificatesIn } from '../../../builder/certificates/certificate.ts'
import { ensureCertificates } from '../../../builder/certificates/ensure.ts'
import type { CertificateNeed } from '../../../images/certificates/need.ts'
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

describe('the CA', () => {
  it('is followed by a second CA when a third of its lifetime is left, and hosts trust both', async () => {
    const { lab, text } = await newLab()
    const { ca } = await ensure(lab)
    const late = daysAfter(3650 - 1 - 1200)
    const both = await ensure(lab, late)
    expect(both.notices[0]).toMatch(
      /^the CA 'hangar CA [0-9a-f]{8}' expires on 2036-11-21: made 'hangar CA [0-9a-f]{8}', and hosts trust both .* npm run certs ca -- --rotate$/,
    )
    expect(both.ca.startsWith(ca)).toBe(true)
    expect(certificatesIn(both.ca, 'ca')).toHaveLength(2)
    expect(text('certificates/ca.pem')).toBe(both.ca)
    expect((await ensure(lab, late)).warnings.join()).toContain('update all hosts, then: npm run certs ca -- --rotate')
  })

  it('issues no certificate that is valid longer than itself', async () => {
    const { lab } = await newLab()
    await ensure(lab)
    const { pem } = await ensure(lab, daysAfter(3500))
    const [leaf] = certificatesIn(pem, 'leaf')
    expect(leaf?.until).toEqual(daysAfter(3649))
  })

  it('ends the build when it has expired', async () => {
    const { lab } = await newLab()
    await ensure(lab)
    expect(await rejection(ensure(lab, daysAfter(3650)))).toMatchObject({
      code: 'certificate',
      message: expect.stringMatching(/^the CA 'hangar CA .*' in 'hosts\/certificates\/ca.pem' expired on 2036-11-21$/),
      hint: expect.stringContaining('npm run certs ca -- --rotate'),
    })
  })

  it('ends the build when the clock of the machine is behind', async () => {
    const { lab } = await newLab()
    await ensure(lab)
    expect(await rejection(ensure(lab, daysAfter(-2)))).toMatchObject({
      message: expect.stringContaining('is valid from 2026-11-24, and today is 2026-11-23'),
      hint: 'correct the clock of this machine: date',
    })
  })

  it('is not made again when only its file is missing', async () => {
    const { lab, file } = await newLab()
    await ensure(lab)
    rmSync(file('certificates/ca.pem'))
    rmSync(file('secrets/ca.age'))
    expect(await rejection(ensure(lab))).toMatchObject({
      message: "'hosts/certificates/ca.pem' does not exist, but 'hosts/certificates' has certificates",
      hint: expect.stringContaining('git log hosts/certificates/ca.pem'),
    })
  })

  it('cannot issue certificates without its key', async () => {
    const { lab, file } = await newLab()
    await ensure(lab)
    rmSync(file('secrets/ca.age'))
    expect(await rejection(ensure(lab, daysAfter(700)))).toMatchObject({
      message: expect.stringMatching(/^cannot issue certificates: the project has no private key of 'hangar CA /),
    })
  })
})
