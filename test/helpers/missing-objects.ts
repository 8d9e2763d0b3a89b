import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { objectsIn, packagesIn, parseGraph } from '../../builder/generations/graph.ts'
import { missingParts } from '../../builder/generations/rebuild.ts'
import { generationsOf, isKept, recordedHosts } from '../../builder/generations/record.ts'
import type { Store } from '../../builder/store/store.ts'
import type { Digest } from '../../images/digest.ts'

/** One line for each part or source of a kept generation that the store lacks. */
export function lostIn(store: Store): string[] {
  return recordedHosts(store.root).flatMap((host) =>
    generationsOf(store.root, host)
      .filter(isKept)
      .flatMap(({ number, parts }) => {
        const graph = parts.origin === null ? [] : sourcesIn(store, parts.origin.graph)
        return [...missingParts(store, parts), ...graph].map((object) => `generation ${number} of ${host}: ${object}`)
      }),
  )
}

function sourcesIn(store: Store, object: Digest): string[] {
  if (!existsSync(store.path(object))) return []
  const graph = parseGraph(readFileSync(store.path(object), 'utf8'))
  const needed = [...packagesIn(graph).map(({ sha256 }) => sha256), ...objectsIn(graph)]
  return needed.filter((each) => !store.has(each))
}

/** Sorted list of all files of a store, except leases and temporary files. */
export function filesIn(store: Store): string[] {
  return readdirSync(store.root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(store.root.length + 1))
    .filter((path) => !/^(users|tmp)\//.test(path))
    .sort()
}
