/**
 * The line, from 1, on which an object literal names the keys of a path one inside the other: `['network', 'dns']`.
 * Undefined where it does not, or for a path of nothing.
 */
export function lineOf(source: string, path: readonly string[]): number | undefined {
  let at = 0
  for (const key of path) {
    // A place in a list has no name of its own: the list's line serves.
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
