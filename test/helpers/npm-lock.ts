import { digestOf } from '../../images/digest.ts'
import { type Integrity, sha512Of } from '../../images/npm/integrity.ts'
import type { TarballFacts } from '../../images/npm/tarball-facts.ts'

/** The integrity of a tarball with this text. */
export function testIntegrity(text: string): Integrity {
  return sha512Of(text)
}

/** The text of a `package-lock.json`: the fields of the service itself, and location -> fields of a package. */
export function packageLockText(
  root: Readonly<Record<string, unknown>>,
  packages: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  more: Readonly<Record<string, unknown>> = {},
): string {
  const complete = Object.entries(packages).map(([location, fields]) => {
    return [location, { version: '1.0.0', integrity: testIntegrity(location), ...fields }] as const
  })
  return JSON.stringify({
    lockfileVersion: 3,
    requires: true,
    packages: { '': root, ...Object.fromEntries(complete) },
    ...more,
  })
}

/** Facts about a tarball of plain JavaScript, with these changes. */
export function plainFacts(given: Partial<TarballFacts> = {}): TarballFacts {
  return { sha256: digestOf('x'), size: 1, os: [], cpu: [], libc: [], modules: 'none', build: 'none', ...given }
}
