import { lackOf, spaceOf } from '../../lib/full-disk.ts'

/** Which file system is full, and what to do. */
export interface Full {
  readonly what: string
  readonly remedy: string
}

/** The file system of the store, if it has no space left. */
export function fullStore(store: string): Full | undefined {
  const space = spaceOf(store)
  return space === undefined || lackOf(space) === undefined ? undefined : fullOnStore(store)
}

/** The file system of a path in the store, which a program has just found full. */
export function fullOnStore(path: string): Full {
  const space = spaceOf(path)
  const mount = space?.mount ?? path
  const [lack, option] =
    space !== undefined && lackOf(space) === 'files' ? ['room for more files', '-i'] : ['space left', '-h']
  return {
    what: `the file system '${mount}' of the store has no ${lack}`,
    remedy: `free disk space (df ${option} '${mount}'), for example with: npm run gc; or keep the store on another file system: HANGAR_STORE=DIRECTORY`,
  }
}
