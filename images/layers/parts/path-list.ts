import { writeFileSync } from 'node:fs'
import { PATHS_FILE, type PathList } from '../paths-file.ts'
import { walk } from './walk.ts'

export function pathsOf(root: string): PathList {
  return Object.fromEntries([...walk(root)].map(([path, { target }]) => [path, target]))
}

/** Writes the list of a root's paths to `/out`. Call it after pruning. */
export function writePaths(root: string): void {
  writeFileSync(`/out/${PATHS_FILE}`, JSON.stringify(pathsOf(root)))
}
