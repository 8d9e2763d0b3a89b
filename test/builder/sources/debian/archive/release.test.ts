import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { fetchRelease, verifyRelease } from '../../../../../builder/sources/debian/archive/release.ts'
import { Servers } from '../../../../../builder/sources/debian/archive/servers.ts'
import { verifyClearSigned } from '../../../../../builder/sources/debian/archive/signature.ts'
import { SUITES } from '../../../../../builder/sources/debian/archive/suites.ts'
import { fakeTiming } from '../../../../helpers/fake-timing.ts'
import { type Content, fileServer } from '../../../../helpers/file-server.ts'
import { listReporter } from '../../../../helpers/reporter.ts'
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
  const fetchFrom = (debian: readonly string[]) =>
    fetchRelease(SUITE, new Servers({ reporter: listReporter(), backoff: 1 }), {
      ...options(),
      mirrors: { debian, 'debian-security': [] },
    })

  it('returns the first valid release', async () => {
    const tampered = await fileServer([[path, Buffer.from((await known.sign(TEXT)).replace('123', '124'))]])
    const good = await fileServer([[path, Buffer.from(await known.sign(TEXT))]])
    expect((await fetchFrom(['http://127.0.0.1:9', tampered.url, good.url])).files.size).toBe(1)
  })

  it('names every refused mirror with the reason', async () => {
    const tampered = await fileServer([[path, Buffer.from((await known.sign(TEXT)).replace('123', '124'))]])
    const empty = await fileServer()
    const error = await fetchFrom([tampered.url, empty.url]).catch((each) => each)
    expect(error).toMatchObject({ code: 'signature', hint: expect.stringContaining('clock') })
    expect(error.message).toContain(
      `cannot get suite 'debian/trixie-updates':\n  ${tampered.url}/${path}: no good signature`,
    )
    expect(error.message).toContain(`${empty.url}/${path}: HTTP 404 Not Found`)
  })
})

describe('a server that sends no release of Debian', () => {
  const path = 'dists/trixie-updates/InRelease'
  const page = '<!DOCTYPE html>\n<html><title>Log in to the network</title>'
  const textOf = (text: string, type?: string): Content => {
    return (_, response) => void response.writeHead(200, type === undefined ? {} : { 'content-type': type }).end(text)
  }
  const refusalOf = async (content: Content) => {
    const server = await fileServer([[path, content]])
    const fetching = fetchRelease(SUITE, new Servers({ reporter: listReporter(), backoff: 1 }), {
      ...options(),
      mirrors: { debian: [server.url], 'debian-security': [] },
    })
    const error = await fetching.catch((each) => each)
    return { error, reason: error.message.split(`${server.url}/${path}: `)[1], requests: server.requests.length }
  }

  it.each([
    [
      'a web page',
      textOf(page, 'text/html; charset=utf-8'),
      `sent no release file: a web page of type 'text/html; charset=utf-8' (${page.length} bytes) that begins with '<!DOCTYPE html> <html><title>Log in to the network</title>'`,
    ],
    [
      'a web page without a type',
      textOf('<html>'),
      "sent no release file: a web page (6 bytes) that begins with '<html>'",
    ],
    ['an empty file', textOf(''), 'sent no release file: an empty answer (0 bytes)'],
    [
      'control characters',
      textOf('\u001b[31mred\u0000\r\nline'),
      "sent no release file: another text (15 bytes) that begins with '[31mred line'",
    ],
  ])('%s: says that no release file came, from which URL, and what came', async (_, content, reason) => {
    const refused = await refusalOf(content)
    expect(refused.reason).toBe(reason)
    expect(refused.error.code).toBe('fetch')
    expect(refused.requests).toBe(1)
  })

  it('a web page: the hint names the login page of a network', async () => {
    expect((await refusalOf(textOf(page))).error.hint).toContain('open any site in a browser')
  })

  it('the beginning of a release file: says so', async () => {
    const begin = (await known.sign(TEXT)).slice(0, 100)
    expect((await refusalOf(textOf(begin))).reason).toBe('sent the beginning of a release file only (100 bytes)')
  })

  it("another vendor's release: names the vendor, also when the name alone is wrong", async () => {
    const vendors = TEXT.replace('Origin: Debian', 'Origin: Vendor')
    for (const by of [stranger, known]) {
      const { error, reason } = await refusalOf(Buffer.from(await by.sign(vendors)))
      expect([error.code, reason]).toEqual(['fetch', expect.stringContaining("is a release of 'Vendor'")])
    }
  })

  it.each(SUITES)("accepts the origin and the label of Debian's suite $name", async (suite) => {
    const signed = await known.sign(releaseText(suite, [], {}))
    expect((await verifyRelease(signed, suite, options())).suite).toEqual(suite)
  })

  it("a release with Debian's name and another signature is reported as a wrong signature", async () => {
    expect((await refusalOf(Buffer.from(await stranger.sign(TEXT)))).error.code).toBe('signature')
  })

  it('fetches the release of a busy mirror after its pause', async () => {
    const timing = fakeTiming()
    const good = Buffer.from(await known.sign(TEXT))
    const server = await fileServer([
      [
        path,
        (_, response) => {
          if (timing.now() < 15_000) response.writeHead(503, { 'retry-after': '5' }).end()
          else response.end(good)
        },
      ],
    ])
    const servers = new Servers({ reporter: listReporter(), timing })
    const mirrors = { debian: [server.url], 'debian-security': [] }
    expect((await fetchRelease(SUITE, servers, { ...options(), mirrors })).files.size).toBe(1)
    expect(server.requests.length).toBe(4)
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
