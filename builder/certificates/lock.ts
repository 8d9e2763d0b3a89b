import { join } from 'node:path'
import { CERTIFICATES_DIRECTORY } from '../../images/certificates/need.ts'
import { withFileLock } from '../../lib/file-lock.ts'

/** Runs `use` while no other process changes the certificates. The holder may take the lock of `hosts/`, not the reverse. */
export function withCertificatesLock<T>({ project }: { readonly project: string }, use: () => Promise<T>): Promise<T> {
  return withFileLock(join(project, CERTIFICATES_DIRECTORY), use)
}
