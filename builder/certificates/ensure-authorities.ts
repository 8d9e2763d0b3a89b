import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { CA_FILE, CA_SECRET, CERTIFICATES_DIRECTORY } from '../../images/certificates/need.ts'
import { authorities, hasAuthorityKeys } from './authority.ts'
import type { Certificate } from './certificate.ts'
import { type CertificateContext, canDecrypt, mayIssue, OWN_MACHINE } from './context.ts'
import { dayOf, isDue, isEarly, isExpired } from './lifetime.ts'
import { takeStep } from './rotate-authority.ts'

/**
 * The certificates of the CA. Makes the first CA of a lab, and a second CA when a third of the lifetime is left. The caller
 * holds the lock of the certificates.
 */
export async function ensureAuthorities(context: CertificateContext): Promise<readonly Certificate[]> {
  const { project, now, reporter } = context
  const known = authorities(project)
  const [issuing, other] = known
  if (issuing === undefined) return firstAuthority(context)
  if (isExpired(issuing, now)) throw expired(issuing)
  if (isEarly(issuing, now)) throw early(issuing, now)
  if (!isDue(issuing, now)) return known
  const soon = `the CA '${issuing.subject}' expires on ${dayOf(issuing.until)}`
  if (other === undefined && mayIssue(context) && (await canDecrypt(context, CA_SECRET))) {
    const after = await takeStep(context, known, 'add')
    reporter.notice(
      `${soon}: made '${after[1]?.subject}', and hosts trust both from this build on; when all hosts run such an image: npm run certs ca -- --rotate`,
    )
    return after
  }
  reporter.warn(`${soon}: update all hosts, then: npm run certs ca -- --rotate`)
  return known
}

async function firstAuthority(context: CertificateContext): Promise<readonly Certificate[]> {
  const { project, reporter } = context
  if (!mayIssue(context))
    throw new UserError(
      'certificate',
      `the lab has no CA yet: '${CA_FILE}' does not exist, and hangar makes none when CI=true`,
      {
        hint: OWN_MACHINE,
      },
    )
  const isLeft = hasAuthorityKeys(project)
  if (!isLeft && hasCertificates(project)) throw lost()
  const made = await takeStep(context, [], 'make')
  const [ca] = made
  reporter.notice(
    `${isLeft ? 'finished' : 'made'} the CA of the lab, '${ca?.subject}', valid until ${dayOf(ca?.until ?? new Date(0))}; add hosts/certificates and hosts/secrets to the repository`,
  )
  return made
}

/** A new CA would make the certificates of all hosts unusable, so it is not made for a file that is only missing. */
function lost(): UserError {
  return new UserError('certificate', `'${CA_FILE}' does not exist, but '${CERTIFICATES_DIRECTORY}' has certificates`, {
    hint: `restore the file from git: git log ${CA_FILE}; if it is lost, make a new CA: npm run certs ca -- --replace`,
  })
}

function hasCertificates(project: string): boolean {
  const directory = join(project, CERTIFICATES_DIRECTORY)
  return existsSync(directory) && readdirSync(directory).some((name) => name.endsWith('.pem'))
}

function expired({ subject, until }: Certificate): UserError {
  return new UserError('certificate', `the CA '${subject}' in '${CA_FILE}' expired on ${dayOf(until)}`, {
    hint: 'make a new CA and new certificates: npm run certs ca -- --rotate; then update all hosts',
  })
}

function early({ subject, from }: Certificate, now: Date): UserError {
  const problem = `the CA '${subject}' in '${CA_FILE}' is valid from ${dayOf(from)}, and today is ${dayOf(now)}`
  return new UserError('certificate', problem, { hint: 'correct the clock of this machine: date' })
}
