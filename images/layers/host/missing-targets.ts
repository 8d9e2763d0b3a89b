import { posix } from 'node:path'
import type { PathList } from '../paths-file.ts'

/** A path of the image that a file of the `host` layer refers to, and that no layer has. */
export interface MissingTarget {
  readonly path: string
  readonly target: string
}

/** Directories whose content appears only on the running host. */
const MADE_AT_BOOT = ['data', 'dev', 'proc', 'run', 'sys', 'tmp', 'var'].map((name) => `/${name}/`)

/** Links as many as the kernel follows (`MAXSYMLINKS` in include/linux/namei.h). */
const MOST_LINKS = 40

/**
 * Finds the links and the programs of units of the `host` layer that lead nowhere. The host would boot without them: with
 * UTC instead of its time zone, or without a service. `units` are the texts of its unit files by their paths.
 */
export function missingTargets(
  host: PathList,
  base: PathList,
  units: Readonly<Record<string, string>>,
): MissingTarget[] {
  const all = { ...base, ...host }
  const links = Object.entries(host).filter(([, target]) => target !== '')
  const programs = Object.entries(units).flatMap(([path, text]) =>
    programsOf(text).map((name) => [path, name] as const),
  )
  return [...links, ...programs]
    .filter(([path, target]) => !exists(all, posix.resolve(posix.dirname(path), target)))
    .map(([path, target]) => ({ path, target }))
}

/** The programs of the lines `ExecStart=`, `ExecStop=` and others, without systemd's prefixes (systemd.service(5)). */
function programsOf(unit: string): string[] {
  return [...unit.matchAll(/^Exec[A-Za-z]+=[-@:+!|]*(\/[^\s]*)/gm)].map(([, program = '']) => program)
}

function exists(paths: PathList, path: string): boolean {
  let at = path
  for (let followed = 0; followed < MOST_LINKS; followed++) {
    if (at === '/' || MADE_AT_BOOT.some((directory) => `${at}/`.startsWith(directory))) return true
    const link = firstLink(paths, at)
    if (link === undefined) return Object.hasOwn(paths, at)
    at = posix.resolve(posix.dirname(link), paths[link] ?? '', at.slice(link.length + 1))
  }
  return false
}

/** The first part of a path that is a symbolic link. */
function firstLink(paths: PathList, path: string): string | undefined {
  const names = path.slice(1).split('/')
  return names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`).find((part) => paths[part])
}
