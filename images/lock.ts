import { z } from 'zod'
import { UserError } from '../errors.ts'
import { canonicalText } from './canonical.ts'
import type { Digest } from './digest.ts'
import { parseJsonDocument } from './json-document.ts'
import { type ArchitectureSet, type PackageSet, setKey } from './package-set.ts'

/** Debian's archives. The servers (mirrors) are a setting and never part of a lock. */
export const ARCHIVES = ['debian', 'debian-security'] as const
export type Archive = (typeof ARCHIVES)[number]

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits') as unknown as z.ZodType<Digest>

const lockedPackage = z.strictObject({
  archive: z.enum(ARCHIVES),
  suite: z.string(),
  package: z.string(),
  version: z.string(),
  architecture: z.enum(['amd64', 'arm64', 'all']),
  /** Path in the archive: `pool/main/z/zstd/zstd_1.5.7_arm64.deb`. */
  path: z.string(),
  size: z.number().int().positive(),
  sha256: digest,
})
export type LockedPackage = z.infer<typeof lockedPackage>

const lockedSet = z.strictObject({
  request: z.array(z.string()),
  essential: z.enum(['included', 'left-out']),
  assumed: z.array(z.string()),
  /** The packages of the set, as sorted keys of `packages`. */
  packages: z.array(z.string()),
})
export type LockedSet = z.infer<typeof lockedSet>

const lock = z.strictObject({
  format: z.literal(1),
  /** The newest date of the suites, in seconds since 1970. It is the first part of an image's `serial`. */
  time: z.number().int().positive(),
  /** The dates of the releases: `archive/suite` -> field Date of the Release file. */
  releases: z.record(z.string(), z.string()),
  /** The package sets: `name:architecture` -> set. */
  sets: z.record(z.string(), lockedSet),
  /** The packages: `name_version_architecture` -> package. */
  packages: z.record(z.string(), lockedPackage),
})
export type Lock = z.infer<typeof lock>

export const EMPTY_LOCK: Lock = { format: 1, time: 1, releases: {}, sets: {}, packages: {} }

/** Reads the text of a lock. `where` is its file, for messages. Throws UserError. */
export function parseLock(text: string, where: string): Lock {
  return parseJsonDocument(text, {
    formats: [1],
    schema: lock,
    fail: (problem, reason, cause) => {
      const code = problem === 'other-format' ? 'format' : 'lock'
      const first =
        problem === 'other-format' ? 'update hangar: git pull && npm ci' : `restore it: git checkout ${where}`
      const hint = `${first}; or resolve everything again: npm run lock -- --update`
      return new UserError(code, `lock '${where}' ${reason}`, { hint, cause })
    },
  })
}

/** The text of a lock file. It has one line for each package and each member of a set, for readable diffs. */
export function lockText(value: Lock): string {
  return canonicalText(value, { releases: 1, packages: 1, sets: 3 })
}

export function packageKey(item: Pick<LockedPackage, 'package' | 'version' | 'architecture'>): string {
  return `${item.package}_${item.version}_${item.architecture}`
}

/** The packages of a set in the lock's order. Undefined if the lock has no entry for the set as it is requested now. */
export function lockedPackages(value: Lock, wanted: ArchitectureSet): LockedPackage[] | undefined {
  const set = value.sets[setKey(wanted)]
  if (set === undefined || !isEntryFor(set, wanted.set)) return undefined
  const packages = set.packages.map((key) => value.packages[key])
  return packages.every((item) => item !== undefined) ? (packages as LockedPackage[]) : undefined
}

function isEntryFor(locked: LockedSet, wanted: PackageSet): boolean {
  const same = (a: readonly string[], b: readonly string[]) => [...a].sort().join() === [...b].sort().join()
  return (
    same(locked.request, wanted.request) &&
    same(locked.assumed, wanted.assumed) &&
    locked.essential === wanted.essential
  )
}
