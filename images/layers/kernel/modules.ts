import { existsSync, readdirSync } from 'node:fs'
import { capture } from '../parts/exec.ts'

/** Directories of Debian's modules and of other modules for the same kernel. */
const DIRECTORIES = ['kernel', 'updates']

/** Modules of one kernel: name in the kernel (with `_`) -> path below the kernel's directory, with extension. */
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

/** Names of the modules whose path (without directory and extension) matches a pattern, in the order of the patterns. */
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

/** The wanted modules and their dependencies, dependencies first. Built-in modules have no file and are left out. */
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
  // modinfo prints one line for each file.
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

/** Throws if a module was built for another kernel. Otherwise the device would be the first to refuse it. */
export async function requireModulesOf(release: string, directory: string): Promise<void> {
  for (const name of readdirSync(directory).sort()) {
    const [built = 'none'] = (await capture('modinfo', ['-F', 'vermagic', `${directory}/${name}`])).split(' ')
    if (built !== release) throw new Error(`module '${name}' was built for kernel '${built}', expected '${release}'`)
  }
}

/** The release of the only kernel in a root. */
export function kernelRelease(root: string): string {
  const releases = existsSync(`${root}/usr/lib/modules`) ? readdirSync(`${root}/usr/lib/modules`) : []
  const [release] = releases
  if (release === undefined || releases.length > 1)
    throw new Error(`expected the modules of one kernel, found: ${releases.join(', ') || 'none'}`)
  return release
}
