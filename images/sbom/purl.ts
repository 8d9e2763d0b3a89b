import type { LockedPackage } from '../lock.ts'
import type { SourcePackage } from './facts.ts'

/**
 * The package URL of a Debian package. Scanners read the source package from `upstream`, because Debian's security tracker
 * lists source packages. It is omitted if it equals the package's own name and version.
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

/** The package URL of an npm package. A scope is the namespace: `pkg:npm/%40scope/name@1.0.0`. */
export function npmPurl(name: string, version: string): string {
  return `pkg:npm/${name.split('/').map(encoded).join('/')}@${encoded(version)}`
}

/** Formats the package URL of a Debian package. The caller passes the qualifiers sorted by name, as the specification requires. */
function purl(name: string, version: string, qualifiers: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(qualifiers).map(([key, value]) => `${key}=${encoded(value)}`)
  return `pkg:deb/debian/${encoded(name)}@${encoded(version)}?${pairs.join('&')}`
}

/** Percent-encodes a component. Package URLs do not encode colons. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':')
}
