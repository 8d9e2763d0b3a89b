import { UserError } from '../../../../errors.ts'
import { type Paragraph, parseParagraph } from '../../../../images/debian/control.ts'
import { type Digest, isDigest } from '../../../../images/digest.ts'
import { getText, PATIENCE, type Patience, TransferError } from '../../../../lib/http.ts'
import { redacted } from './failure.ts'
import type { Mirrors } from './mirrors.ts'
import { SignatureError, verifyClearSigned } from './signature.ts'
import { type Suite, suiteKey } from './suites.ts'

/** The Release file of a suite, with a verified signature. */
export interface Release {
  readonly suite: Suite
  /** The value of the field Date: `Sat, 12 Sep 2026 07:55:41 UTC`. */
  readonly date: string
  /** The release's date, in seconds since 1970. */
  readonly time: number
  readonly fields: Paragraph
  /** The index files of the suite: path below the suite's directory -> file. */
  readonly files: ReadonlyMap<string, { readonly sha256: Digest; readonly size: number }>
}

export interface ReleaseOptions {
  readonly mirrors: Mirrors
  /** Armored public keys. One of these keys must have signed the release. */
  readonly keyring: string
  readonly now: Date
  /** The dates of the releases that the lock used: `archive/suite` -> date. A mirror with an older release is stale. */
  readonly known: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  readonly patience?: Patience
}

/** The largest InRelease file that hangar reads, in bytes. The InRelease of trixie has 140 kB. */
const LIMIT = 8 * 1024 * 1024

/** Fetches the release from the first mirror whose release is signed, valid now, and not older than the known one. */
export async function fetchRelease(suite: Suite, options: ReleaseOptions): Promise<Release> {
  const { mirrors, patience = PATIENCE, signal } = options
  const refusals: string[] = []
  let unsigned = false
  for (const base of mirrors[suite.archive]) {
    const url = `${base}/dists/${suite.name}/InRelease`
    try {
      return await verifyRelease(await getText(url, LIMIT, { patience, signal }), suite, options)
    } catch (error) {
      if (!(error instanceof TransferError || error instanceof SignatureError || error instanceof ReleaseError))
        throw error
      unsigned ||= error instanceof SignatureError
      refusals.push(`\n  ${redacted(url)}: ${error.message}`)
    }
  }
  throw new UserError(unsigned ? 'signature' : 'fetch', `cannot get suite '${suiteKey(suite)}':${refusals.join('')}`, {
    hint: unsigned
      ? "check this machine's clock, use another mirror (HANGAR_DEBIAN_MIRROR=URL), or update hangar for newer keys (git pull)"
      : 'check the network, or use another mirror: HANGAR_DEBIAN_MIRROR=URL',
  })
}

/** The error for a release with a valid signature that is for another suite, expired or too old. */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError'
}

/** Verifies and reads an InRelease file. Throws SignatureError or ReleaseError. */
export async function verifyRelease(
  text: string,
  suite: Suite,
  { keyring, now, known }: Pick<ReleaseOptions, 'keyring' | 'now' | 'known'>,
): Promise<Release> {
  const fields = parseParagraph(await verifyClearSigned(text, keyring, now))
  const date = fields.get('date') ?? ''
  const time = seconds('Date', date)
  checkName(fields, suite)
  checkCurrent(fields, now)
  const before = known[suiteKey(suite)]
  if (before !== undefined && time < seconds('Date', before)) {
    throw new ReleaseError(`dated '${date}', older than the lock's '${before}'`)
  }
  return { suite, date, time, fields, files: parseFiles(fields.get('sha256') ?? '') }
}

function checkName(fields: Paragraph, suite: Suite): void {
  const names = [fields.get('codename'), fields.get('suite')]
  if (names.includes(suite.name)) return
  throw new ReleaseError(`is '${names.join("' / '")}', wanted '${suite.name}'`)
}

/** A release without Valid-Until does not expire. The suite `trixie` itself has none. */
function checkCurrent(fields: Paragraph, now: Date): void {
  const until = fields.get('valid-until')
  if (until === undefined || now.getTime() / 1000 <= seconds('Valid-Until', until)) return
  throw new ReleaseError(`was valid until '${until}', now is '${now.toUTCString()}'`)
}

function seconds(field: string, text: string): number {
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new ReleaseError(`has an invalid ${field}: '${text}'`)
  return time / 1000
}

function parseFiles(field: string): Release['files'] {
  const files = new Map<string, { sha256: Digest; size: number }>()
  for (const line of field.split('\n')) {
    const [sha256 = '', size = '', path] = line.trim().split(/\s+/)
    if (path !== undefined && isDigest(sha256) && /^\d+$/.test(size)) files.set(path, { sha256, size: Number(size) })
  }
  return files
}
