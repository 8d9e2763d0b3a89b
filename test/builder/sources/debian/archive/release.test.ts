import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { fetchRelease, verifyRelease } from '../../../../../builder/sources/debian/archive/release.ts'
import { verifyClearSigned } from '../../../../../builder/sources/debian/archive/signature.ts'
import { fileServer } from '../../../../helpers/file-server.ts'
import { NOW, releaseText, type Signer, signer } from '../../../../helpers/small-archive.ts'

const SUITE = { archive: 'debian', name: 'trixie-updates' } as const
const TEXT = releaseText(SUITE, [` ${'ab'.repeat(32)} 123 main/binary-arm64/Packages.gz`], {})

let known: Signer
let stranger: Signer
beforeAll(async () => {
  known = await signer()
  stranger = await signer()
})

const options = (more: object = {}) => ({ keyring: known.publicKey, now: NOW, known: {}, ...more })
const verified = (text: string, more: object = {}) => verifyRelease(text, SUITE, options(more))

describe('verifyClearSigned', () => {
  it('accepts a release that a known key has signed', async () => {
    const release = await verified(await known.sign(TEXT))
    expect(release.time).toBe(Date.parse('2026-06-01T08:00:00Z') / 1000)
    expect(release.files.get('main/binary-arm64/Packages.gz')).toEqual({ sha256: 'ab'.repeat(32), size: 123 })
  })

  it('refuses a release with one changed letter', async () => {
    const signed = await known.sign(TEXT)
    await expect(verified(signed.replace('123 main', '124 main'))).rejects.toThrow('no good signature by a known key')
  })

  it('refuses the signature of an unknown key', async () => {
    await expect(verified(await stranger.sign(TEXT))).rejects.toThrow('no good signature by a known key')
  })

  it('refuses the signature of another text', async () => {
    const [mine, other] = [await known.sign(TEXT), await known.sign('Codename: other\n')]
    const signature = (text: string) => text.slice(text.indexOf('-----BEGIN PGP SIGNATURE'))
    await expect(verified(mine.replace(signature(mine), signature(other)))).rejects.toThrow('no good signature')
  })

  it('refuses a text without a signature', async () => {
    await expect(verified(TEXT)).rejects.toThrow('not a signed text')
    const cut = (await known.sign(TEXT)).replace(/\n-----BEGIN PGP SIGNATURE[\s\S]*/, '\n')
    await expect(verified(cut)).rejects.toThrow('not a signed text')
  })

  it('refuses a signature from the future', async () => {
    const signed = await known.sign(TEXT, new Date(NOW.getTime() + 86_400_000))
    await expect(verified(signed)).rejects.toThrow('no good signature by a known key')
  })

  it('refuses a signature of a key that has expired', async () => {
    const brief = await signer(86_400)
    const signed = await brief.sign(TEXT, new Date('2026-01-01T12:00:00Z'))
    const at = (now: string) => verifyClearSigned(signed, brief.publicKey, new Date(now))
    expect(await at('2026-01-01T13:00:00Z')).toContain('Codename: trixie-updates')
    await expect(at('2026-01-03T00:00:00Z')).rejects.toThrow('no good signature by a known key')
  })

  it('ignores text outside the signed part', async () => {
    const around = `Codename: before\n\n${await known.sign(TEXT)}\nCodename: after\n`
    const outcome = await verified(around).then(
      (release) => release.fields.get('codename'),
      () => 'refused',
    )
    expect(['trixie-updates', 'refused']).toContain(outcome)
  })
})

describe('verifyRelease', () => {
  it('refuses the release of another suite', async () => {
    const other = releaseText({ archive: 'debian', name: 'trixie-backports' }, [], {})
    await expect(verified(await known.sign(other))).rejects.toThrow(
      "is 'trixie-backports' / 'stable-backports', wanted 'trixie-updates'",
    )
  })

  it('refuses a release after its Valid-Until, and accepts it one second before', async () => {
    const signed = await known.sign(releaseText(SUITE, [], { validUntil: 'Mon, 01 Jun 2026 11:59:59 UTC' }))
    await expect(verified(signed)).rejects.toThrow("was valid until 'Mon, 01 Jun 2026 11:59:59 UTC'")
    const current = await known.sign(releaseText(SUITE, [], { validUntil: 'Mon, 01 Jun 2026 12:00:00 UTC' }))
    expect((await verified(current)).suite).toEqual(SUITE)
  })

  it('refuses a release that is older than the locked one', async () => {
    const seen = (date: string) => ({ known: { 'debian/trixie-updates': date } })
    const signed = await known.sign(TEXT)
    await expect(verified(signed, seen('Mon, 01 Jun 2026 08:00:01 UTC'))).rejects.toThrow("older than the lock's")
    expect((await verified(signed, seen('Mon, 01 Jun 2026 08:00:00 UTC'))).suite).toEqual(SUITE)
  })

  it('refuses a release without a date', async () => {
    await expect(verified(await known.sign(TEXT.replace(/Date: .*\n/, '')))).rejects.toThrow('has an invalid Date')
  })
})

describe('fetchRelease', () => {
  const path = 'dists/trixie-updates/InRelease'

  it('returns the first valid release', async () => {
    const tampered = await fileServer([[path, Buffer.from((await known.sign(TEXT)).replace('123', '124'))]])
    const good = await fileServer([[path, Buffer.from(await known.sign(TEXT))]])
    const mirrors = { debian: ['http://127.0.0.1:9', tampered.url, good.url], 'debian-security': [] }
    expect((await fetchRelease(SUITE, options({ mirrors }) as never)).files.size).toBe(1)
  })

  it('names every refused mirror with the reason', async () => {
    const tampered = await fileServer([[path, Buffer.from((await known.sign(TEXT)).replace('123', '124'))]])
    const empty = await fileServer()
    const mirrors = { debian: [tampered.url, empty.url], 'debian-security': [] }
    const error = await fetchRelease(SUITE, options({ mirrors }) as never).catch((each) => each)
    expect(error).toMatchObject({ code: 'signature', hint: expect.stringContaining('clock') })
    expect(error.message).toContain(
      `cannot get suite 'debian/trixie-updates':\n  ${tampered.url}/${path}: no good signature`,
    )
    expect(error.message).toContain(`${empty.url}/${path}: HTTP 404 Not Found`)
  })
})

describe('the shipped keyring', () => {
  it("the shipped keyring contains Debian's keys of this release, by their fingerprints", async () => {
    const { readKeys } = await import('openpgp')
    const keys = await readKeys({ armoredKeys: await readFile('images/keyrings/debian-archive.asc', 'utf8') })
    // https://ftp-master.debian.org/keys.html
    expect(keys.map((key) => key.getFingerprint()).sort()).toEqual([
      '04b54c3cdca79751b16bc6b5225629df75b188bd',
      '41587f7db8c774bccf131416762f67a0b2c39de4',
      '5e04a1e3223a19a20706e20f9904613d4cce68c6',
    ])
  })
})
