import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ensureCommitted } from '../../builder/committed.ts'
import { rotateHostIdentity } from '../../builder/keys/host-identity.ts'
import { certificateKeySecret } from '../../images/certificates/need.ts'
import type { NeededSecret } from '../../images/secrets/needed-secret.ts'
import { parseSecretName } from '../../images/secrets/secret-name.ts'
import { certificateHost, certificateLab, certificateNeed } from '../helpers/certificate-lab.ts'
import { rejection } from '../helpers/rejection.ts'
import { tempDirectory } from '../helpers/temp.ts'

const NEED = certificateNeed()
const KEY: NeededSecret = {
  ...{ name: certificateKeySecret(NEED), service: 'mosquitto', about: 'its private key', places: [] },
  value: { kind: 'issued' },
}
const RANDOM: NeededSecret = {
  ...{ name: parseSecretName('mosquitto-password'), service: 'mosquitto', about: 'a password', places: [] },
  value: { kind: 'random', bytes: 16 },
}
const PLAN = { ...certificateHost(NEED), secrets: [KEY, RANDOM] }
const NEEDS = { hosts: { tiny: PLAN.secrets }, unknown: [] }

async function newLab(env: NodeJS.ProcessEnv = {}) {
  const lab = await certificateLab(await tempDirectory(), env)
  return { lab, ensured: () => ensureCommitted(lab, [PLAN], NEEDS) }
}

describe('the first build of a lab', () => {
  it('makes identity, CA, certificate and random secrets, in this order, with one notice for each', async () => {
    const { lab, ensured } = await newLab()
    for (const name of ['tiny.identity.json', 'tiny.identity.age']) rmSync(join(lab.project, 'hosts', name))
    const { certificates, secrets } = await ensured()
    expect(lab.reporter.notices.map((line) => line.split(/[:;,]/)[0])).toEqual([
      'made the identity of tiny',
      'made the CA of the lab',
      'issued certificate tiny-mosquitto',
      'made hosts/secrets/mosquitto-password.age (a password)',
    ])
    expect(certificates.get('tiny')?.issued.mosquitto).toContain('BEGIN CERTIFICATE')
    expect(Object.keys(secrets)).toEqual(['certificate-tiny-mosquitto', 'mosquitto-password'])
  })

  it('makes nothing when CI=true', async () => {
    const { ensured } = await newLab({ CI: 'true' })
    expect(await rejection(ensured())).toMatchObject({
      code: 'certificate',
      hint: expect.stringContaining('certs issue'),
    })
  })
})

describe('a later build', () => {
  it('encrypts the private key of a certificate again when the host has a new age key, and keeps the certificate', async () => {
    const { lab, ensured } = await newLab()
    const first = await ensured()
    await rotateHostIdentity(lab, 'tiny', 'age')
    const later = await ensured()
    expect(later.certificates).toEqual(first.certificates)
    expect(later.secrets[KEY.name]).not.toBe(first.secrets[KEY.name])
    expect(await ensured()).toEqual(later)
  })

  it('gives the image the certificate and the ciphertext that the project has', async () => {
    const { lab, ensured } = await newLab()
    const { certificates, secrets } = await ensured()
    const text = (name: string) => readFileSync(join(lab.project, 'hosts', name), 'utf8')
    expect(certificates.get('tiny')?.issued.mosquitto).toBe(text('certificates/tiny-mosquitto.pem'))
    expect(secrets[KEY.name]).toBe(text('secrets/certificate-tiny-mosquitto.age'))
  })
})
