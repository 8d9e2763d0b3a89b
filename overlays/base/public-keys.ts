/** The lines of public keys without duplicates. Two lines with the same key and different names are duplicates. */
export function distinctKeys(lines: readonly string[]): string[] {
  const seen = new Map<string, string>()
  for (const line of lines) {
    const key = line.split(' ').slice(0, 2).join(' ')
    if (!seen.has(key)) seen.set(key, line)
  }
  return [...seen.values()]
}
