import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, processIn, temporaryName } from '../lib/process-liveness.ts'

/**
 * The file in a directory that describes the process to which the directory belongs. The description is too long for the
 * directory's name, because a socket's path has at most 107 bytes.
 */
const OWNER = 'owner'
const FORM = /^hangar-vm-\d+-\w{6}$/

/** Creates a directory of this process that only this user may enter. `removeAbandoned` removes it after a kill. */
export function ownedDirectory(parent: string): string {
  const directory = mkdtempSync(join(parent, `hangar-vm-${process.pid}-`))
  writeFileSync(join(directory, OWNER), temporaryName(OWNER))
  return directory
}

/**
 * Removes the owned directories of processes that ended. A directory without a description stays: its process may be
 * between the two calls of `ownedDirectory`, or it belongs to another program.
 */
export function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (FORM.test(name) && isAbandoned(join(parent, name))) removeOwn(join(parent, name))
  }
}

function isAbandoned(directory: string): boolean {
  try {
    const owner = processIn(readFileSync(join(directory, OWNER), 'utf8'))
    return owner !== undefined && !isAlive(owner)
  } catch {
    return false
  }
}

/** Removes a directory. Leaves directories of other users in place. */
function removeOwn(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EACCES' && code !== 'EPERM') throw error
  }
}
