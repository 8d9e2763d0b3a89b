import { lstatSync, readlinkSync } from 'node:fs'

const MOST_LINKS = 40

/** The path that a path leads to inside a root, with all links followed; undefined if it leads nowhere. */
export function pathInRoot(root: string, path: string): string | undefined {
  const parts = path.split('/')
  let at = ''
  let links = 0
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    if (part === '' || part === '.') continue
    if (part === '..') {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')))
      continue
    }
    const next = `${at}/${part}`
    const found = lstatSync(root + next, { throwIfNoEntry: false })
    if (found === undefined) return undefined
    if (!found.isSymbolicLink()) {
      if (parts.some((each) => each !== '') && !found.isDirectory()) return undefined
      at = next
      continue
    }
    if (++links > MOST_LINKS) return undefined
    const target = readlinkSync(root + next)
    if (target.startsWith('/')) at = ''
    parts.unshift(...target.split('/'))
  }
  return at === '' ? '/' : at
}
