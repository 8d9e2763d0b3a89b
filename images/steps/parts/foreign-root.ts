import { chmodSync, chownSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { unpackDebs } from './deb.ts'
import { writeDatabase } from './dpkg-database.ts'
import { exec } from './exec.ts'

/**
 * The target's packages unpacked, with the whole difference that `root-changes` found laid over them. Inputs: debs, and
 * a directory with what `root-changes` left.
 */
export async function makeForeignRoot(root: string, debs: readonly string[], changes: string): Promise<void> {
  const unpacked = await unpackDebs(debs, root)
  writeDatabase(root, unpacked, 'installed')
  for (const path of readJson<string[]>(`${changes}/deleted.json`)) rmSync(root + path, { recursive: true, force: true })
  await exec('tar', ['-x', '-p', '-f', `${changes}/changes.tar`, '--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner', '--same-owner', '-C', root])
  for (const [path, { mode, uid, gid }] of Object.entries(readJson<Record<string, Retouched>>(`${changes}/retouched.json`))) {
    if (!existsSync(root + path)) throw new Error(`maintainer scripts change the mode of '${path}', which the target's packages do not ship`)
    // The owner first: changing it clears set-user-id.
    chownSync(root + path, uid, gid)
    chmodSync(root + path, mode)
  }
  await restoreAttributes(`${changes}/retouched.xattrs`)
}

interface Retouched {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** The dump names files by the path that they had when the scripts ran, which is the root's path here too. */
async function restoreAttributes(dump: string): Promise<void> {
  if (readFileSync(dump, 'utf8').trim() !== '') await exec('setfattr', ['-h', `--restore=${dump}`])
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T
}
