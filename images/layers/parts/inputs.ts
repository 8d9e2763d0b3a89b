import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Paths of the files in a directory below `/in`, sorted. Returns none if the step has no such input. */
export function inputFiles(directory: string): string[] {
  const path = `/in/${directory}`
  if (!existsSync(path)) return []
  return readdirSync(path)
    .sort()
    .map((name) => `${path}/${name}`)
}

/** Reads a JSON file below `/in`. The caller names its type. */
export function inputJson<T>(name: string): T {
  return JSON.parse(readFileSync(`/in/${name}`, 'utf8')) as T
}
