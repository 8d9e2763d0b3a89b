import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeHostIdentity, readPublicIdentity, rotateHostIdentity } from '../../../builder/keys/host-identity.ts'
import { ensureSecrets, labAge } from '../../../builder/secrets/ensure.ts'
import type { LabNeeds } from '../../../builder/secrets/lab-secrets.ts'
import { secretRecord } from '../../../builder/secrets/records.ts'
import { openSecret, storeSecret } from '../../../builder/secrets/secret-store.ts'
import type { NeededSecret } from '../../../images/secrets/needed-secret.ts'
import { parseSecretName } from '../../../images/secrets/secret-name.ts'
import { SECRET_RECORDS } from '../../../images/secrets/secret-records.ts'
import { ownIdentity, secretPlace } from '../../helpers/secret-place.ts'

const KEY = parseSecretName('zigbee-key')
const PASSWORD = parseSecretName('mail-password')

const need = (name: typeof KEY, kind: 'random' | 'given'): NeededSecret => ({
  ...{ name, service: name.split('-')[0] ?? '', about: `the ${name}`, places: [] },
  value: kind === 'random' ? { kind, bytes: 16 } : { kind },
})
const RANDOM = need(KEY, 'random')
const GIVEN = need(PASSWORD, 'given')
const lab = (hosts: LabNeeds['hosts'], unknown: readonly string[] = []): LabNeeds => ({ hosts, unknown })

type Place = Awaited<ReturnType<typeof secretPlace>>

/** Builds the given hosts of a lab, as `buildAll` does. */
const ensured = ({ context, project }: Place, needs: LabNeeds, ...hosts: string[]) =>
  ensureSecrets(context, { needs, hosts, lab: labAge(project) })

const inCi = (place: Place): Place => ({
  ...place,
  context: { ...place.context, env: { ...place.context.env, CI: 'true' } as typeof place.context.env },
})
const withoutKey = (place: Place) => rmSync(place.keyFile)

describe('a lab whose services need no secret', () => {
  it('a build makes no keys and no files', async () => {
    const place = await secretPlace()
    expect(await ensured(place, lab({ adama: [] }), 'adama')).toEqual({})
    expect([place.files(), place.reporter.notices]).toEqual([[], []])
  })
})

describe('the first build of a lab', () => {
  it('makes the identity of the host and the random secrets, with one notice for each', async () => {
    const place = await secretPlace()
    const ciphertexts = await ensured(place, lab({ adama: [RANDOM] }), 'adama')
    expect(ciphertexts).toEqual({ [KEY]: place.ciphertext(KEY) })
    expect(await place.asHost('adama', KEY)).toMatch(/^[0-9a-f]{32}$/)
    expect(place.reporter.notices).toEqual([
      expect.stringMatching(/^made .*age_key: /),
      'made the identity of adama: add hosts/adama.identity.json and hosts/adama.identity.age to the repository',
      'made hosts/secrets/zigbee-key.age (the zigbee-key): add it and hosts/secrets/secrets.json to the repository',
    ])
  })

  it('every later build uses the same ciphertexts, and changes and prints nothing', async () => {
    const place = await secretPlace()
    const first = await ensured(place, lab({ adama: [RANDOM] }), 'adama')
    const before = readFileSync(join(place.project, SECRET_RECORDS), 'utf8')
    const count = place.reporter.notices.length
    expect(await ensured(place, lab({ adama: [RANDOM] }), 'adama')).toEqual(first)
    expect(readFileSync(join(place.project, SECRET_RECORDS), 'utf8')).toBe(before)
    expect(place.reporter.notices.length).toBe(count)
  })

  it('a secret that only the owner knows stops the build, after the random ones are made', async () => {
    const place = await secretPlace('adama')
    await expect(ensured(place, lab({ adama: [RANDOM, GIVEN] }), 'adama')).rejects.toMatchObject({
      code: 'secret',
      message: '1 secret is missing:\n  mail-password for adama: the mail-password; only you know it',
      hint: 'git pull, if another checkout has them. Otherwise: npm run secrets set mail-password',
    })
    expect(place.files()).toEqual(['secrets.json', 'zigbee-key.age'])
  })

  it('makes nothing when CI=true, and names the commands for the own machine of the owner', async () => {
    const place = inCi(await secretPlace())
    await expect(ensured(place, lab({ adama: [RANDOM] }), 'adama')).rejects.toMatchObject({
      message: '1 secret is missing:\n  zigbee-key for adama: the zigbee-key; hangar can generate it',
      hint: 'on your own machine, and commit the new files: npm run secrets generate',
    })
    expect([place.files(), readPublicIdentity(place.project, 'adama')]).toEqual([[], undefined])
  })
})

describe('a lab with secrets', () => {
  it('a missing secret is an error and is never made again, because devices know the former value', async () => {
    const place = await secretPlace('adama', 'starbuck')
    await storeSecret(place.context, parseSecretName('other'), 'x', ['adama'])
    const needs = lab({ adama: [RANDOM, GIVEN], starbuck: [GIVEN] })
    await expect(ensured(place, needs, 'adama', 'starbuck')).rejects.toMatchObject({
      message: [
        '2 secrets are missing:',
        '  zigbee-key for adama: the zigbee-key; hangar can generate it',
        '  mail-password for adama, starbuck: the mail-password; only you know it',
      ].join('\n'),
      hint: 'git pull, if another checkout has them. Otherwise: npm run secrets generate && npm run secrets set mail-password',
    })
    expect(place.files()).toEqual(['other.age', 'secrets.json'])
  })

  it('a missing secret of a host that is not built does not stop the others', async () => {
    const place = await secretPlace('adama', 'starbuck')
    await storeSecret(place.context, KEY, 'x', ['adama'])
    const needs = lab({ adama: [RANDOM], starbuck: [GIVEN] })
    expect(await ensured(place, needs, 'adama')).toEqual({ [KEY]: place.ciphertext(KEY) })
  })

  it('a host that joins gets the secret at the next build, with a notice', async () => {
    const place = await secretPlace('adama')
    await storeSecret(place.context, KEY, 'value', ['adama'])
    await makeHostIdentity(place.context, 'starbuck')
    await ensured(place, lab({ adama: [RANDOM], starbuck: [RANDOM] }), 'adama')
    expect(await place.asHost('starbuck', KEY)).toBe('value')
    expect(await place.asHost('adama', KEY)).toBe('value')
    expect(place.reporter.notices.at(-1)).toBe(
      'encrypted hosts/secrets/zigbee-key.age again, because it is not encrypted to all age keys of starbuck',
    )
  })

  it('a host that rotates its age key gets the secret for its new key', async () => {
    const place = await secretPlace('adama')
    await storeSecret(place.context, KEY, 'value', ['adama'])
    const { identity } = await rotateHostIdentity(place.context, 'adama', 'age')
    await ensured(place, lab({ adama: [RANDOM] }), 'adama')
    expect(secretRecord(place.project, KEY)?.hosts).toEqual({ adama: identity.age })
    expect(identity.age.length).toBe(2)
  })

  it('a host that no longer uses a secret cannot decrypt the next ciphertext', async () => {
    const place = await secretPlace('adama', 'starbuck')
    await storeSecret(place.context, KEY, 'value', ['adama', 'starbuck'])
    await ensured(place, lab({ adama: [RANDOM], starbuck: [] }), 'adama')
    expect(await place.asHost('starbuck', KEY)).toBeUndefined()
    expect(await place.asHost('adama', KEY)).toBe('value')
    expect(place.reporter.notices.at(-1)).toContain('is encrypted to a key that starbuck no longer has or needs')
  })

  it('a host whose host file has an error keeps its secrets', async () => {
    const place = await secretPlace('adama', 'starbuck')
    await storeSecret(place.context, KEY, 'value', ['adama', 'starbuck'])
    const before = place.ciphertext(KEY)
    await ensured(place, lab({ adama: [RANDOM] }, ['starbuck']), 'adama')
    expect(place.ciphertext(KEY)).toBe(before)
    await makeHostIdentity(place.context, 'helo')
    await ensured(place, lab({ adama: [RANDOM], helo: [RANDOM] }, ['starbuck']), 'adama')
    expect(await place.asHost('starbuck', KEY)).toBe('value')
  })

  it('a ciphertext of an interrupted run is encrypted again', async () => {
    const place = await secretPlace('adama')
    await storeSecret(place.context, KEY, 'old', ['adama'])
    const records = readFileSync(join(place.project, SECRET_RECORDS), 'utf8')
    await storeSecret(place.context, KEY, 'new', ['adama'])
    writeFileSync(join(place.project, SECRET_RECORDS), records)
    await ensured(place, lab({ adama: [RANDOM] }), 'adama')
    expect(await openSecret(place.context, KEY)).toBe('new')
    expect(place.reporter.notices.at(-1)).toContain('does not match its record in hosts/secrets/secrets.json')
  })

  it.each([
    ['when CI=true', (place: Place) => inCi(place)],
    [
      "without the owner's key",
      (place: Place) => {
        withoutKey(place)
        return place
      },
    ],
  ])('names the command for a stale secret, and changes nothing, %s', async (_where, there) => {
    const place = await secretPlace('adama')
    await storeSecret(place.context, KEY, 'value', ['adama'])
    await rotateHostIdentity(place.context, 'adama', 'age')
    const before = place.ciphertext(KEY)
    await expect(ensured(there(place), lab({ adama: [RANDOM] }), 'adama')).rejects.toMatchObject({
      code: 'secret',
      message:
        'secrets have to be encrypted again:\n  hosts/secrets/zigbee-key.age is not encrypted to all age keys of adama',
      hint: "on the machine with the owner's age key: npm run secrets, and commit the changed files",
    })
    expect(place.ciphertext(KEY)).toBe(before)
  })

  it("needs no owner's key while nothing is missing or stale", async () => {
    const place = inCi(await secretPlace('adama'))
    await storeSecret(place.context, KEY, 'value', ['adama'])
    withoutKey(place)
    expect(await ensured(place, lab({ adama: [RANDOM] }), 'adama')).toEqual({ [KEY]: place.ciphertext(KEY) })
  })

  it('refuses to build a host that made its own identity, because it has no age key in the project', async () => {
    const place = await secretPlace('adama')
    await storeSecret(place.context, KEY, 'value', ['adama'])
    ownIdentity(place.project, 'starbuck')
    const needs = lab({ adama: [RANDOM], starbuck: [RANDOM] })
    await expect(ensured(place, needs, 'starbuck')).rejects.toMatchObject({
      message: expect.stringContaining(
        "cannot encrypt the secret 'zigbee-key' to starbuck: the host made its own identity",
      ),
      hint: expect.stringContaining('npm run init starbuck'),
    })
    expect(await ensured(place, needs, 'adama')).toEqual({ [KEY]: place.ciphertext(KEY) })
  })

  it('refuses two services whose secrets have the same name, also on two hosts', async () => {
    const place = await secretPlace('adama')
    const needs = lab({ adama: [RANDOM], starbuck: [{ ...RANDOM, service: 'zigbee-two' }] })
    await expect(ensured(place, needs, 'adama')).rejects.toMatchObject({
      message: "services 'zigbee' and 'zigbee-two' both have a secret 'zigbee-key'",
      hint: 'rename the secret in overlays/services/zigbee-two/service.ts',
    })
  })
})
