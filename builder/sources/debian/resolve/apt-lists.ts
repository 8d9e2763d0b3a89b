import { formatRelations, parseRelations } from '../../../../images/debian/relation.ts'
import type { PackageSet } from '../../../../images/package-set.ts'
import type { Release } from '../archive/release.ts'
import { suiteKey } from '../archive/suites.ts'
import { assumedNames, isAssumed } from './assumed.ts'
import type { Candidate, Catalogue } from './catalogue.ts'

/** Below which apt believes the archives to be. Nothing is ever fetched from there. */
export const APT_SERVER = 'http://archives'

// Not the date: with it every solution would be a new one, even where nothing that it is made of has changed.
const RELEASE_FIELDS = ['Origin', 'Label', 'Suite', 'Version', 'Codename', 'NotAutomatic', 'ButAutomaticUpgrades']
const PACKAGE_FIELDS = [
  ...['Package', 'Source', 'Version', 'Architecture', 'Multi-Arch', 'Essential', 'Protected', 'Priority', 'Section'],
  ...['Pre-Depends', 'Depends', 'Conflicts', 'Breaks', 'Replaces', 'Provides', 'Filename', 'Size', 'SHA256'],
]
const DEPENDENCIES = new Set(['Pre-Depends', 'Depends'])

/**
 * The files that `apt-get update` would have left in apt's list directory, by name, had the archives held only these
 * packages. What the releases were checked for is not there to be checked again.
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

/** sources.list(5). The signatures were verified where the releases were fetched. */
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
  if (kept.length === 0) throw new Error(`release of '${suiteKey(suite)}' without any field`)
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
