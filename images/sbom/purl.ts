import type { LockedPackage } from '../lock.ts'
import type { SourcePackage } from './facts.ts'

/**
 * Package URL of a Debian package. `upstream` is where scanners look for the source package, which Debian's security
 * tracker counts by; it is left out where it is the package's own name and version.
 */
export function debPurl(item: LockedPackage, source: SourcePackage): string {
  const isOwn = source.name === item.package && source.version === item.version
  const qualifiers = {
    arch: item.architecture,
    distro: item.suite.split('-')[0] ?? '',
    ...(isOwn ? {} : { upstream: `${source.name}@${source.version}` }),
  }
  return purl(item.package, item.version, qualifiers)
}

export function sourcePurl({ name, version }: SourcePackage): string {
  return purl(name, version, { arch: 'source' })
}

/** Qualifiers are given in their order, which is by name. */
function purl(name: string, version: string, qualifiers: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(qualifiers).map(([key, value]) => `${key}=${encoded(value)}`)
  return `pkg:deb/debian/${encoded(name)}@${encoded(version)}?${pairs.join('&')}`
}

/** A colon is never encoded, where everything else that is not plain is. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':')
}
