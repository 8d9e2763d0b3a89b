/**
 * The line number, from 1, of a nested key in an object literal: `['network', 'dns']`. If the key does not exist,
 * returns the line of the innermost key that exists. Undefined if no key exists or the path is empty.
 */
export function lineOf(source: string, path: readonly string[]): number | undefined {
  let at = 0
  for (const key of path) {
    // Uses the line of the list for a list element, which has no key.
    if (/^\d+$/.test(key)) break
    const escaped = key.replace(/[^\w]/g, '\\$&')
    const found = new RegExp(`(?<![\\w$])(['"]?)${escaped}\\1\\s*[:,}]`, 'm').exec(source.slice(at))
    if (found === null) return at === 0 ? undefined : lineAt(source, at)
    at += found.index + 1
  }
  return at === 0 ? undefined : lineAt(source, at)
}

function lineAt(source: string, index: number): number {
  return source.slice(0, index).split('\n').length
}
