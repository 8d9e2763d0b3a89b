import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  CA_FILE,
  CERTIFICATES_DIRECTORY,
  type CertificateNeed,
  certificateFile,
} from '../../images/certificates/need.ts'
import { authorities } from './authority.ts'
import type { Certificate } from './certificate.ts'
import type { CertificateContext } from './context.ts'
import { isDue, isEarly, isExpired } from './lifetime.ts'
import { type Examined, examine } from './renew.ts'

/** How a certificate of the CA is used. Several states may hold; the first one in this list counts. */
export type AuthorityState = 'expired' | 'not yet valid' | 'issues; due' | 'issues' | 'trusted'

export interface ListedAuthority {
  readonly certificate: Certificate
  readonly state: AuthorityState
}

export interface CertificateList {
  readonly authorities: readonly ListedAuthority[]
  readonly certificates: readonly Examined[]
  /** Files of certificates that no host needs. */
  readonly unused: readonly string[]
}

/** All certificates of the lab, compared with what its hosts need. Changes nothing. */
export async function listCertificates(
  context: CertificateContext,
  needs: readonly CertificateNeed[],
): Promise<CertificateList> {
  const known = authorities(context.project)
  const certificates: Examined[] = []
  for (const need of needs) certificates.push(await examine(context, known, need))
  const used = new Set([CA_FILE, ...needs.map(certificateFile)])
  return {
    authorities: listAuthorities(known, context.now),
    certificates,
    unused: certificateFiles(context.project).filter((file) => !used.has(file)),
  }
}

export function listAuthorities(known: readonly Certificate[], now: Date): ListedAuthority[] {
  return known.map((certificate, at) => ({ certificate, state: authorityState(certificate, at, now) }))
}

function authorityState(certificate: Certificate, at: number, now: Date): AuthorityState {
  if (isExpired(certificate, now)) return 'expired'
  if (isEarly(certificate, now)) return 'not yet valid'
  if (at > 0) return 'trusted'
  return isDue(certificate, now) ? 'issues; due' : 'issues'
}

function certificateFiles(project: string): string[] {
  const directory = join(project, CERTIFICATES_DIRECTORY)
  const names = existsSync(directory) ? readdirSync(directory) : []
  return names
    .filter((name) => name.endsWith('.pem'))
    .map((name) => `${CERTIFICATES_DIRECTORY}/${name}`)
    .sort()
}
