import type { Architecture } from '../../architecture.ts'
import { Refusal } from '../../refusal.ts'
import { controlText, type Deb, packageName } from '../parts/deb.ts'
import { type Purpose, withoutPackages } from '../purpose.ts'
import { targetPath } from './carry.ts'

/** Scripts that run when a package is configured. */
export const SCRIPTS = ['preinst', 'postinst', 'config'] as const

/** Packages whose scripts depend on the architecture, and the reason why this is not a problem. */
const KNOWN: Readonly<Record<string, string>> = {
  'base-files': 'diverts the library directories that its architecture does not have: see `translateDiversions`',
  dpkg: "writes its architecture to its database; hangar writes the target's database itself",
  libc6: 'creates the directory of the loader, which both architectures have after unpacking',
}

/** Commands and variables with which a script reads the architecture. */
const READS_ARCHITECTURE =
  /\buname\s+-\w*[ampi]|--print-(foreign-)?architecture|\bdpkg-architecture\b|DPKG_MAINTSCRIPT_ARCH|\/proc\/cpuinfo/

/** Throws if the scripts of builder and target differ, or read the architecture: then their changes cannot be carried. */
export function requireSameScripts(
  native: readonly Deb[],
  target: readonly Deb[],
  builder: Architecture,
  targetArchitecture: Architecture,
  purpose: Purpose,
): void {
  const targetDebs = new Map(target.map((deb) => [packageName(deb), deb]))
  const textOf = (deb: Deb | undefined, script: string) =>
    deb?.control.has(script) ? controlText(deb, script) : undefined
  const translated = (text: string | undefined) =>
    text === undefined
      ? undefined
      : targetPath(withoutVersion(text), builder, targetArchitecture).replaceAll(
          `:${builder}`,
          `:${targetArchitecture}`,
        )
  const different = native.flatMap((deb) => {
    const name = packageName(deb)
    if (name in KNOWN) return []
    const scripts = SCRIPTS.filter(
      (script) => translated(textOf(deb, script)) !== withoutVersion(textOf(targetDebs.get(name), script)),
    )
    return scripts.map((script) => `${name}.${script}`)
  })
  refuse(`differ between ${builder} and ${targetArchitecture}`, different, purpose)
  if (builder !== targetArchitecture)
    refuse('read the architecture of the builder', native.flatMap(scriptsThatReadArchitecture), purpose)
}

/** The text without the version of debhelper in its comments: a rebuild for one architecture has a newer one. */
function withoutVersion(text: string): string
function withoutVersion(text: string | undefined): string | undefined
function withoutVersion(text: string | undefined): string | undefined {
  return text?.replace(/^(# Automatically added by dh_\w+)\/\S+$/gm, '$1')
}

/** The text of a script without the lines that are comments. */
export function withoutComments(text: string): string {
  return text.replace(/^[ \t]*#.*$/gm, '')
}

function scriptsThatReadArchitecture(deb: Deb): string[] {
  const name = packageName(deb)
  if (name in KNOWN) return []
  const scripts = SCRIPTS.filter((script) => READS_ARCHITECTURE.test(withoutComments(controlText(deb, script))))
  return scripts.map((script) => `${name}.${script}`)
}

function refuse(what: string, scripts: readonly string[], purpose: Purpose): void {
  if (scripts.length === 0) return
  const packages = scripts.map((script) => script.slice(0, script.lastIndexOf('.')))
  throw new Refusal(
    'carry',
    `cannot carry the changes of maintainer scripts that ${what}: ${scripts.join(', ')}`,
    withoutPackages(packages, purpose),
  )
}

/** dpkg's list of diversions. */
export const DIVERSIONS = '/var/lib/dpkg/diversions'

/** Texts in the scripts of base-files: library directories that one of the architectures does not have. */
const ABSENT: Record<Architecture, readonly string[]> = {
  amd64: ['lib32', 'libo32', 'libx32'],
  arm64: ['lib32', 'lib64', 'libo32', 'libx32'],
}

/**
 * Translates dpkg's diversions for the target. A diversion has three lines: the path, the new path, and the package. They
 * are sorted, because dpkg writes them in hash order, which differs between architectures.
 */
export function translateDiversions(text: string, builder: Architecture, target: Architecture): string {
  const absent = (directory: string) => `/${directory}\n/.${directory}.usr-is-merged\nbase-files\n`
  const gone = ABSENT[builder].filter((name) => !ABSENT[target].includes(name)).map(absent)
  const added = ABSENT[target].filter((name) => !ABSENT[builder].includes(name)).map(absent)
  const kept = (text.match(/(?:.*\n){3}/g) ?? []).filter((record) => !gone.includes(record))
  return [...new Set([...kept, ...added])].sort().join('')
}
