import type { SourceRequest } from '../../images/locked-file.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'

/** The Debian package sets among the requests of a plan. */
export function debianSets(requests: readonly SourceRequest[]): ArchitectureSet[] {
  return requests.filter(({ source = 'debian' }) => source === 'debian') as ArchitectureSet[]
}
