import { existsSync, readdirSync } from 'node:fs'
import { capture } from '../parts/exec.ts'

/** Debian's own modules, and what others build for the same kernel. */
const DIRECTORIES = ['kernel', 'updates']

/** Modules of one kernel: name as the kernel knows it -> path below the kernel's directory, with ending. */
export function findModules(directory: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const part of DIRECTORIES.filter((each) => existsSync(`${directory}/${each}`))) {
    for (const path of readdirSync(`${directory}/${part}`, { recursive: true, encoding: 'utf8' }).sort()) {
      const name = /([^/]+)\.ko(\.xz)?$/.exec(path)?.[1]
      if (name !== undefined) found.set(name.replaceAll('-', '_'), `${part}/${path}`)
    }
  }
  return found
}

/** Names of modules whose path below their directory, without ending, matches a pattern; in the patterns' order. */
export function select(modules: ReadonlyMap<string, string>, patterns: readonly string[]): string[] {
  const expressions = patterns.map(
    (pattern) =>
      new RegExp(
        `^(?:${DIRECTORIES.join('|')})/${pattern.replace(/[.+]/g, '\\$&').replaceAll('*', '[^/]*')}\\.ko(\\.xz)?$`,
      ),
  )
  return [
    ...new Set(expressions.flatMap((each) => [...modules].filter(([, path]) => each.test(path)).map(([name]) => name))),
  ]
}

/** A module's own dependencies come before it; one that the kernel has built in needs no file. */
export async function closure(
  directory: string,
  modules: ReadonlyMap<string, string>,
  wanted: readonly string[],
): Promise<string[]> {
  const depends = new Map<string, readonly string[]>()
  let open = [...wanted]
  while (open.length > 0) {
    for (const [name, list] of await readDepends(directory, modules, open)) depends.set(name, list)
    open = [...new Set([...depends.values()].flat())].filter((name) => modules.has(name) && !depends.has(name))
  }
  const ordered = new Set<string>()
  const visit = (name: string) => {
    if (ordered.has(name) || !modules.has(name)) return
    for (const needed of depends.get(name) ?? []) visit(needed)
    ordered.add(name)
  }
  wanted.forEach(visit)
  return [...ordered]
}

async function readDepends(
  directory: string,
  modules: ReadonlyMap<string, string>,
  names: readonly string[],
): Promise<Map<string, readonly string[]>> {
  const files = names.map((name) => `${directory}/${modules.get(name)}`)
  // One line a module: modinfo prints the field once for each file it is given.
  const lines = (await capture('modinfo', ['-F', 'depends', ...files])).split('\n')
  return new Map(
    names.map((name, index) => [
      name,
      (lines[index] ?? '')
        .split(',')
        .filter(Boolean)
        .map((each) => each.replaceAll('-', '_')),
    ]),
  )
}

/** Refuses modules that were built for another kernel: it would refuse them too, but only on the device. */
export async function requireModulesOf(release: string, directory: string): Promise<void> {
  for (const name of readdirSync(directory).sort()) {
    const [built = 'none'] = (await capture('modinfo', ['-F', 'vermagic', `${directory}/${name}`])).split(' ')
    if (built !== release) throw new Error(`module '${name}' was built for kernel '${built}', wanted '${release}'`)
  }
}

export function kernelRelease(root: string): string {
  const releases = existsSync(`${root}/usr/lib/modules`) ? readdirSync(`${root}/usr/lib/modules`) : []
  const [release] = releases
  if (release === undefined || releases.length > 1)
    throw new Error(`wanted the modules of one kernel, found: ${releases.join(', ') || 'none'}`)
  return release
}
