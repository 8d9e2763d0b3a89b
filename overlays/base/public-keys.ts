/** Lines of public keys without those whose key stands in an earlier one; the name behind a key is no part of it. */
export function distinctKeys(lines: readonly string[]): string[] {
  const seen = new Map<string, string>()
  for (const line of lines) {
    const key = line.split(' ').slice(0, 2).join(' ')
    if (!seen.has(key)) seen.set(key, line)
  }
  return [...seen.values()]
}
