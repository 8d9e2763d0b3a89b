import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import type * as FsPromises from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { makeHostIdentity, rotateHostIdentity } from '../../../builder/keys/host-identity.ts'
import { withHostsLock } from '../../../builder/keys/hosts-lock.ts'
import { secretRecord, secretRecords } from '../../../builder/secrets/records.ts'
import {
  openSecret,
  reencryptUnderLock,
  storeSecret,
  storeSecretUnderLock,
} from '../../../builder/secrets/secret-store.ts'
import { digestOf } from '../../../images/digest.ts'
import { parseSecretName } from '../../../images/secrets/secret-name.ts'
import { rejection } from '../../helpers/rejection.ts'
import { ownIdentity, secretPlace } from '../../helpers/secret-place.ts'

const NAME = parseSecretName('grafana-password')
const OTHER = parseSecretName('grafana-token')

const power = vi.hoisted(() => ({ renames: 0, cutAt: 0 }))

vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof FsPromises>()
  const rename: typeof FsPromises.rename = async (from, to) => {
    power.renames += 1
    if (power.renames === power.cutAt) throw new Error('the power is gone')
    await fs.rename(from, to)
  }
  return { ...fs, rename }
})

beforeEach(() => Object.assign(power, { renames: 0, cutAt: 0 }))

const cutAtRename = (cutAt: number) => Object.assign(power, { renames: 0, cutAt })

describe('storeSecret', () => {
  it('encrypts to every key of the hosts that use the secret, and to the owner', async () => {
    const { context, asHost, ciphertext } = await secretPlace('adama', 'starbuck', 'helo')
    await storeSecret(context, NAME, 'hunter2', ['starbuck', 'adama', 'adama'])
    expect(await openSecret(context, NAME)).toBe('hunter2')
    expect(await asHost('adama', NAME)).toBe('hunter2')
    expect(await asHost('starbuck', NAME)).toBe('hunter2')
    expect(await asHost('helo', NAME)).toBeUndefined()
    expect(ciphertext(NAME)).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/)
  })

  it('a secret without hosts is encrypted to the owner only', async () => {
    const { context, asHost, project } = await secretPlace('adama')
    await storeSecret(context, NAME, 'hunter2', [])
    expect(await openSecret(context, NAME)).toBe('hunter2')
    expect(await asHost('adama', NAME)).toBeUndefined()
    expect(secretRecord(project, NAME)?.hosts).toEqual({})
  })

  it('records when the value was made, its recipients and the digest of the file', async () => {
    const { context, project, ciphertext } = await secretPlace('adama')
    const { identity } = await rotateHostIdentity(context, 'adama', 'age')
    await storeSecret(context, NAME, 'hunter2', ['adama'])
    expect(secretRecord(project, NAME)).toEqual({
      hosts: { adama: identity.age },
      made: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      owner: expect.stringMatching(/^age1/),
      sha256: digestOf(ciphertext(NAME)),
    })
    expect(identity.age.length).toBe(2)
  })

  it('many secrets at the same time are all recorded', async () => {
    const { context, project } = await secretPlace('adama')
    const names = Array.from({ length: 10 }, (_, at) => parseSecretName(`secret-${at}`))
    await Promise.all(names.map((name) => storeSecret(context, name, name, ['adama'])))
    expect(Object.keys(secretRecords(project)).sort()).toEqual([...names])
  })

  it('a caller that holds the lock stores several secrets', async () => {
    const { context, files } = await secretPlace('adama')
    await withHostsLock(context, async () => {
      await storeSecretUnderLock(context, NAME, 'one', ['adama'])
      await storeSecretUnderLock(context, OTHER, 'two', ['adama'])
    })
    expect(files()).toEqual(['grafana-password.age', 'grafana-token.age', 'secrets.json'])
  })

  it.each([
    ['', '0 bytes'],
    ['x'.repeat(64 * 1024 + 1), '65537 bytes'],
  ])('refuses a value of the wrong size', async (text, size) => {
    const { context, files } = await secretPlace('adama')
    await expect(storeSecret(context, NAME, text, ['adama'])).rejects.toMatchObject({
      code: 'secret',
      message: `the value of the secret '${NAME}' has ${size}, wanted 1 to 65536`,
    })
    expect(files()).toEqual([])
  })

  it('refuses a host without an identity, and a host that made its own', async () => {
    const { context, project, files } = await secretPlace('adama')
    await expect(storeSecret(context, NAME, 'hunter2', ['helo'])).rejects.toMatchObject({
      message: `cannot encrypt the secret '${NAME}' to helo: the host has no identity yet`,
      hint: 'create an identity: npm run init helo',
    })
    ownIdentity(project, 'helo')
    await expect(storeSecret(context, NAME, 'hunter2', ['adama', 'helo'])).rejects.toMatchObject({
      message: `cannot encrypt the secret '${NAME}' to helo: the host made its own identity, and its age key is only on its own disk`,
      hint: expect.stringContaining('npm run init helo'),
    })
    expect(files()).toEqual([])
  })

  it("makes no new owner's key while the project has secrets", async () => {
    const { context, keyFile } = await secretPlace('adama')
    await storeSecret(context, NAME, 'hunter2', ['adama'])
    rmSync(keyFile)
    const error = await rejection(storeSecret(context, OTHER, 'hunter3', ['adama']))
    expect(error).toMatchObject({ hint: `restore the key to '${keyFile}' from your backup` })
  })

  it("refuses another owner's key than the one of the other secrets", async () => {
    const { context, keyFile, files } = await secretPlace('adama')
    const other = await secretPlace('adama')
    await storeSecret(context, NAME, 'hunter2', ['adama'])
    writeFileSync(keyFile, readFileSync(other.keyFile, 'utf8'))
    await expect(storeSecret(context, OTHER, 'hunter3', ['adama'])).rejects.toMatchObject({
      message: expect.stringMatching(
        /^cannot encrypt the secret 'grafana-token': .* is the key age1.*, but 'grafana-password' is encrypted to the owner's key age1/,
      ),
      hint: expect.stringContaining(`copy age_key from the machine that made the secrets to '${keyFile}'`),
    })
    expect(files()).toEqual(['grafana-password.age', 'secrets.json'])
  })
})

describe('a power cut while a secret is stored', () => {
  it.each([
    [1, []],
    [2, ['grafana-password.age']],
  ])('at rename %i leaves no half-written file, and the same command continues', async (cutAt, left) => {
    const { context, project, files } = await secretPlace('adama')
    cutAtRename(cutAt)
    await expect(storeSecret(context, NAME, 'hunter2', ['adama'])).rejects.toThrow('the power is gone')
    expect(files()).toEqual(left)
    await storeSecret(context, NAME, 'hunter2', ['adama'])
    expect(files()).toEqual(['grafana-password.age', 'secrets.json'])
    expect(Object.keys(secretRecords(project))).toEqual([NAME])
  })

  it.each([
    [1, 'old'],
    [2, 'new'],
  ])('at rename %i of a change leaves a whole value, which can be encrypted again', async (cutAt, value) => {
    const { context, project, asHost, ciphertext } = await secretPlace('adama')
    await storeSecret(context, NAME, 'old', ['adama'])
    const before = secretRecord(project, NAME)
    cutAtRename(cutAt)
    await expect(storeSecret(context, NAME, 'new', ['adama'])).rejects.toThrow('the power is gone')
    expect(secretRecord(project, NAME)).toEqual(before)
    expect(digestOf(ciphertext(NAME)) === before?.sha256).toBe(value === 'old')
    expect(await openSecret(context, NAME)).toBe(value)
    await withHostsLock(context, () => reencryptUnderLock(context, NAME, ['adama']))
    expect(secretRecord(project, NAME)?.sha256).toBe(digestOf(ciphertext(NAME)))
    expect(await asHost('adama', NAME)).toBe(value)
  })
})

describe('reencryptUnderLock', () => {
  it('encrypts the same value to the new hosts and keys, and keeps the time of the value', async () => {
    const { context, project, asHost } = await secretPlace('adama')
    await storeSecret(context, NAME, 'hunter2', ['adama'])
    const before = secretRecord(project, NAME)
    await makeHostIdentity(context, 'starbuck')
    await withHostsLock(context, () => reencryptUnderLock(context, NAME, ['starbuck']))
    expect(await asHost('starbuck', NAME)).toBe('hunter2')
    expect(await asHost('adama', NAME)).toBeUndefined()
    expect(secretRecord(project, NAME)?.made).toBe(before?.made)
  })
})

describe('openSecret', () => {
  it('names the commands for a missing secret', async () => {
    const { context } = await secretPlace('adama')
    await expect(openSecret(context, NAME)).rejects.toMatchObject({
      message: `the secret '${NAME}' is missing: 'hosts/secrets/${NAME}.age' does not exist`,
      hint: `git pull, if another checkout has it; or set it: npm run secrets set ${NAME}`,
    })
  })

  it('refuses a damaged file, and quotes nothing of it', async () => {
    const { context, directory, ciphertext } = await secretPlace('adama')
    await storeSecret(context, NAME, 'hunter2', ['adama'])
    const lines = ciphertext(NAME).split('\n')
    const [first = '', ...others] = lines[3] ?? ''
    lines[3] = `${first === 'A' ? 'B' : 'A'}${others.join('')}`
    writeFileSync(join(directory, `${NAME}.age`), lines.join('\n'))
    const error = await rejection(openSecret(context, NAME))
    expect(error).toMatchObject({ message: expect.stringContaining(`cannot decrypt 'hosts/secrets/${NAME}.age'`) })
    expect(String(error)).not.toContain('hunter2')
  })
})
