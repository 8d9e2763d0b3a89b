import { formatRelations, parseRelations } from '../../../../images/debian/relation.ts'
import type { PackageSet } from '../../../../images/package-set.ts'
import type { Release } from '../archive/release.ts'
import { suiteKey } from '../archive/suites.ts'
import { assumedNames, type Candidate, type Catalogue, isAssumed } from './catalogue.ts'

/** A server name for apt's lists. apt never connects to this server. */
export const APT_SERVER = 'http://archives'

// Leaves out the date: with the date, each new release would need a new solution, even if no package of the set has
// changed.
const RELEASE_FIELDS = ['Origin', 'Label', 'Suite', 'Version', 'Codename', 'NotAutomatic', 'ButAutomaticUpgrades']
const PACKAGE_FIELDS = [
  ...['Package', 'Source', 'Version', 'Architecture', 'Multi-Arch', 'Essential', 'Protected', 'Priority', 'Section'],
  ...['Pre-Depends', 'Depends', 'Conflicts', 'Breaks', 'Replaces', 'Provides', 'Filename', 'Size', 'SHA256'],
]
const DEPENDENCIES = new Set(['Pre-Depends', 'Depends'])

/**
 * The files that `apt-get update` would write to apt's list directory if the archives had only these packages. Leaves
 * out signatures and dates, which hangar has already verified.
 */
export function aptLists(
  candidates: readonly Candidate[],
  set: PackageSet,
  catalogue: Catalogue,
): Record<string, string> {
  const assumed = assumedNames(set, catalogue)
  const files = catalogue.releases.flatMap((release) => {
    const { archive, name } = release.suite
    const prefix = `archives_${archive}_dists_${name}`
    const own = candidates.filter(({ locked }) => locked.archive === archive && locked.suite === name)
    return [
      [`${prefix}_Release`, releaseText(release, catalogue)],
      [
        `${prefix}_main_binary-${catalogue.architecture}_Packages`,
        own.map((each) => packageText(each, assumed)).join('\n'),
      ],
    ] as const
  })
  return Object.fromEntries(files)
}

/**
 * The text of sources.list(5). It has the option `trusted`, because hangar verified the signatures when it fetched the
 * releases.
 */
export function aptSources({ releases, architecture }: Catalogue): string {
  const line = ({ suite }: Release) =>
    `deb [trusted=yes arch=${architecture}] ${APT_SERVER}/${suite.archive} ${suite.name} main\n`
  return releases.map(line).join('')
}

function releaseText({ fields, suite }: Release, { architecture }: Catalogue): string {
  const kept = RELEASE_FIELDS.flatMap((name) => {
    const value = fields.get(name.toLowerCase())
    return value === undefined ? [] : [`${name}: ${value}\n`]
  })
  if (kept.length === 0)
    throw new Error(`the release of '${suiteKey(suite)}' has none of the fields ${RELEASE_FIELDS.join(', ')}`)
  return `${kept.join('')}Architectures: ${architecture}\nComponents: main\n`
}

function packageText({ paragraph }: Candidate, assumed: ReadonlySet<string>): string {
  const lines = PACKAGE_FIELDS.flatMap((name) => {
    const value = paragraph.get(name.toLowerCase())
    const kept = value !== undefined && DEPENDENCIES.has(name) ? withoutAssumed(value, assumed) : value
    return kept === undefined || kept === '' ? [] : [`${name}: ${kept.replaceAll('\n', ' ')}\n`]
  })
  return lines.join('')
}

function withoutAssumed(field: string, assumed: ReadonlySet<string>): string {
  return formatRelations(parseRelations(field).filter((alternatives) => !isAssumed(alternatives, assumed)))
}
