import type { Architecture } from '../../architecture.ts'
import { type Deb, packageName } from '../parts/deb.ts'
import { targetPath } from './carry.ts'

/** What runs when a package is configured. */
const SCRIPTS = ['preinst', 'postinst', 'config'] as const

/** Packages whose scripts are not the same on all architectures, or ask for theirs, and what is done about it. */
const KNOWN: Readonly<Record<string, string>> = {
  'base-files': 'diverts the library directories that its architecture does not have: see `mendDiversions`',
  dpkg: "writes its architecture to its database, which is the target's own",
  libc6: 'makes the directory of the loader, which both have when all is unpacked',
}

/** The same text does another thing on another machine if it asks which one it is on. */
const ASKS =
  /\buname\s+-\w*[ampi]|--print-(foreign-)?architecture|\bdpkg-architecture\b|DPKG_MAINTSCRIPT_ARCH|\/proc\/cpuinfo/

/** Only where both architectures' scripts are the same does what one did stand for what the other would do. */
export function requireSameScripts(
  native: readonly Deb[],
  target: readonly Deb[],
  builder: Architecture,
  targetArchitecture: Architecture,
): void {
  const theirs = new Map(target.map((deb) => [packageName(deb), deb]))
  const translated = (text: string | undefined) =>
    text === undefined
      ? undefined
      : targetPath(text, builder, targetArchitecture).replaceAll(`:${builder}`, `:${targetArchitecture}`)
  const different = native.flatMap((deb) => {
    const name = packageName(deb)
    if (name in KNOWN) return []
    const scripts = SCRIPTS.filter(
      (script) => translated(deb.control.get(script)) !== theirs.get(name)?.control.get(script),
    )
    return scripts.map((script) => `${name}.${script}`)
  })
  refuse(`differ between ${builder} and ${targetArchitecture}`, different)
  if (builder !== targetArchitecture) refuse('ask for the architecture that they run on', native.flatMap(asking))
}

function asking(deb: Deb): string[] {
  const name = packageName(deb)
  if (name in KNOWN) return []
  const withoutComments = (text: string) => text.replace(/^\s*#.*$/gm, '')
  const scripts = SCRIPTS.filter((script) => ASKS.test(withoutComments(deb.control.get(script) ?? '')))
  return scripts.map((script) => `${name}.${script}`)
}

function refuse(what: string, scripts: readonly string[]): void {
  if (scripts.length === 0) return
  throw new Error(`maintainer scripts ${what}, what they do cannot be carried: ${scripts.join(', ')}`)
}

/** Of base-files' scripts: each architecture's library directories that it has not. */
const ABSENT: Record<Architecture, readonly string[]> = {
  amd64: ['lib32', 'libo32', 'libx32'],
  arm64: ['lib32', 'lib64', 'libo32', 'libx32'],
}

/**
 * dpkg's diversions as they are on the target: three lines each, what, where to, and whose. Sorted, since dpkg writes them
 * in the order of a hash of paths, which an architecture's own directories are part of.
 */
export function mendDiversions(text: string, builder: Architecture, target: Architecture): string {
  const absent = (directory: string) => `/${directory}\n/.${directory}.usr-is-merged\nbase-files\n`
  const gone = ABSENT[builder].filter((name) => !ABSENT[target].includes(name)).map(absent)
  const added = ABSENT[target].filter((name) => !ABSENT[builder].includes(name)).map(absent)
  const kept = (text.match(/(?:.*\n){3}/g) ?? []).filter((record) => !gone.includes(record))
  return [...kept, ...added].sort().join('')
}
