import { UserError } from '../../../../errors.ts'
import { type Paragraph, parseParagraph } from '../../../../images/debian/control.ts'
import { type Digest, isDigest } from '../../../../images/digest.ts'
import { get, type Request, textOf } from '../../../../lib/http.ts'
import { ask } from './ask.ts'
import { hintFor, type Reason, refusalsText } from './failure.ts'
import type { Mirrors } from './mirrors.ts'
import { checkForm, NotDebianError } from './release-form.ts'
import type { Servers } from './servers.ts'
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
}

/** Fetches the release from the first mirror whose release is signed, valid now, and not older than the known one. */
export async function fetchRelease(suite: Suite, servers: Servers, options: ReleaseOptions): Promise<Release> {
  const answer = await ask(servers, {
    servers: options.mirrors[suite.archive].map((base) => ({ kind: 'mirror', base })),
    path: inReleasePath(suite),
    size: IN_RELEASE_SIZE,
    fetch: (url, request) => fetchReleaseFrom(url, suite, request, options),
    blame: blameForRelease,
    absence: async (_, { message }) => ({ kind: 'partial', reason: message }),
  })
  if (answer.kind === 'good') return answer.value
  const isUnsigned = answer.refusals.some(({ kind }) => kind === 'unsigned')
  const tried = refusalsText(answer.refusals)
  throw new UserError(isUnsigned ? 'signature' : 'fetch', `cannot get suite '${suiteKey(suite)}':${tried}`, {
    hint: isUnsigned
      ? "check this machine's clock, use another mirror (HANGAR_DEBIAN_MIRROR=URL), or update hangar for newer keys (git pull)"
      : hintFor(answer.refusals),
  })
}

/** Fetches and verifies the release at one URL. Throws TransferError and the errors that `blameForRelease` knows. */
export async function fetchReleaseFrom(
  url: string,
  suite: Suite,
  request: Request,
  options: Omit<ReleaseOptions, 'mirrors'>,
): Promise<Release> {
  const response = await get(url, request)
  const type = response.headers['content-type']
  return verifyRelease(checkForm(await textOf(response, LIMIT, request), type), suite, options)
}

export function inReleasePath({ name }: Suite): string {
  return `dists/${name}/InRelease`
}

/** What an error of `fetchReleaseFrom` says about the server; undefined for an error that no server causes. */
export function blameForRelease(error: unknown): Reason | undefined {
  if (error instanceof NotDebianError) return { kind: 'foreign', reason: error.message }
  if (error instanceof SignatureError) return { kind: 'unsigned', reason: error.message }
  return error instanceof ReleaseError ? { kind: 'outdated', reason: error.message } : undefined
}

/** The largest InRelease file that hangar reads, in bytes. */
const LIMIT = 8 * 1024 * 1024
/** The expected size of an InRelease file, in bytes: that of trixie. */
const IN_RELEASE_SIZE = 140_000

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
  const fields = parseParagraph(await signedText(text, keyring, now))
  const date = fields.get('date') ?? ''
  const time = seconds('Date', date)
  checkOrigin(fields)
  checkName(fields, suite)
  checkCurrent(fields, now)
  const before = known[suiteKey(suite)]
  if (before !== undefined && time < seconds('Date', before)) {
    throw new ReleaseError(`dated '${date}', older than the lock's '${before}'`)
  }
  return { suite, date, time, fields, files: parseFiles(fields.get('sha256') ?? '') }
}

/** A release of another vendor is no attack: the server is no mirror of Debian. */
async function signedText(text: string, keyring: string, now: Date): Promise<string> {
  try {
    return await verifyClearSigned(text, keyring, now)
  } catch (error) {
    if (error instanceof SignatureError) checkOrigin(parseParagraph(/^Origin:.*$/m.exec(text)?.[0] ?? ''))
    throw error
  }
}

const ORIGINS = ['Debian', 'Debian Backports']
const LABELS = ['Debian', 'Debian-Security', 'Debian Backports']

function checkOrigin(fields: Paragraph): void {
  const [origin = 'Debian', label = 'Debian'] = [fields.get('origin'), fields.get('label')]
  if (ORIGINS.includes(origin) && LABELS.includes(label)) return
  throw new NotDebianError(`is a release of '${origin}' (label '${label}'), wanted one of 'Debian'`)
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
