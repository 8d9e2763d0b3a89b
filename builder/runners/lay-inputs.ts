import { chmod, chown, constants, copyFile, link, lstat, mkdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Derivation } from '../../images/derivation.ts'
import { OBJECT_TIME } from '../store/directory.ts'
import type { Store } from '../store/store.ts'
import { verifiedInput } from './inputs.ts'

/** The modes that a command sees. They do not depend on the owner of the store, its umask or its ACLs. */
export const INPUT_MODES = { file: 0o444, directory: 0o755 } as const
const OWNER = 0

/**
 * Fills `directory` with the inputs of a derivation. Steps copy modes into layers, so every input gets the same mode, owner
 * and time on every machine.
 */
export async function layInputs(derivation: Derivation, directory: string, store: Store): Promise<void> {
  const directories = inputDirectories(derivation).map((path) => join(directory, path))
  for (const each of directories.slice(1)) await mkdir(each)
  for (const [path, input] of Object.entries(derivation.inputs))
    await layFile(store.path(await verifiedInput(derivation, path, input, store)), join(directory, path))
  for (const each of [...directories].reverse()) await setAttributes(each, INPUT_MODES.directory)
}

/** The directories below `/in`, each after its parent. The first is `/in` itself, as an empty path. */
export function inputDirectories({ inputs }: Pick<Derivation, 'inputs'>): string[] {
  const parents = Object.keys(inputs).flatMap((path) => {
    const parts = path.split('/').slice(0, -1)
    return parts.map((_, at) => parts.slice(0, at + 1).join('/'))
  })
  return ['', ...new Set(parents.sort())]
}

/** A hard link is faster than a copy, but has the attributes of the object. The sandbox mounts it read-only. */
async function layFile(object: string, target: string): Promise<void> {
  if (await hasAttributes(object)) return link(object, target)
  // Shares the blocks where the file system can.
  await copyFile(object, target, constants.COPYFILE_FICLONE)
  await setAttributes(target, INPUT_MODES.file)
}

async function hasAttributes(object: string): Promise<boolean> {
  const { mode, uid, gid, mtimeMs } = await lstat(object)
  return (mode & 0o7777) === INPUT_MODES.file && uid === OWNER && gid === OWNER && mtimeMs === OBJECT_TIME * 1000
}

/** Sets the mode last: a change of owner clears bits of the mode, and a time needs no right to write. */
async function setAttributes(path: string, mode: number): Promise<void> {
  await chown(path, OWNER, OWNER)
  await utimes(path, OBJECT_TIME, OBJECT_TIME)
  await chmod(path, mode)
}
