import { lackOf, spaceOf } from '../../lib/full-disk.ts'

/** Which file system is full, and what to do. */
export interface Full {
  readonly what: string
  readonly remedy: string
}

/** The file system of the store, if it has no space left. */
export function fullStore(store: string): Full | undefined {
  const space = spaceOf(store)
  const lack = space === undefined ? undefined : lackOf(space)
  return lack === undefined ? undefined : fullOnStore(store, space?.mount, lack)
}

/** The file system of a path in the store, as full. */
export function fullOnStore(
  store: string,
  mount = spaceOf(store)?.mount ?? store,
  lack: 'space' | 'files' = 'space',
): Full {
  const look = `df ${lack === 'files' ? '-i' : '-h'} '${mount}'`
  return {
    what: `the file system '${mount}' of the store has no ${lack === 'files' ? 'room for more files' : 'space left'}`,
    remedy: `free disk space (${look}), for example with: npm run gc; or keep the store on another file system: HANGAR_STORE=DIRECTORY`,
  }
}
