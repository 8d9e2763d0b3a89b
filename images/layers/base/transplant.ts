import { chmodSync, chownSync, existsSync, lstatSync, rmSync } from 'node:fs'
import { captureBytes } from '../parts/exec.ts'
import type { ScriptChanges } from './script-changes.ts'

/** Applies the changes of maintainer scripts in the root `from` to the root `to`. */
export async function transplant({ made, retouched, deleted }: ScriptChanges, from: string, to: string): Promise<void> {
  for (const path of deleted) rmSync(to + path, { recursive: true, force: true })
  await pipe(COPY, made.map((path) => `.${path}\0`).join(''), from, to)
  for (const path of retouched) retouch(path, from, to)
  // Does not handle removed attributes: setfattr cannot remove them, and no known script removes an attribute of a
  // shipped file.
  await pipe(COPY_ATTRIBUTES, retouched.map((path) => `.${path}\0`).join(''), from, to)
}

const COPY = `tar -c -C "$1" --xattrs --acls --numeric-owner --no-recursion --null -T - | tar -x -p -C "$2" --xattrs --xattrs-include='*' --acls --numeric-owner --same-owner`
/** Leaves out the labels that a builder with SELinux gives every file. */
const COPY_ATTRIBUTES = `cd "$1"; xargs -0 -r getfattr -h -d -m '^(security\\.capability|system\\.posix_acl_.*|user\\..*)$' -e hex | { cd "$2"; setfattr -h --restore=-; }`

async function pipe(script: string, list: string, from: string, to: string): Promise<void> {
  if (list === '') return
  await captureBytes(
    'bash',
    ['-c', `set -e -o pipefail; ${script}`, 'transplant', from, to],
    async (stdin) => void stdin.write(list),
  )
}

function retouch(path: string, from: string, to: string): void {
  if (!existsSync(to + path))
    throw new Error(`maintainer scripts change the mode of '${path}', which the target's packages do not ship`)
  const { mode, uid, gid } = lstatSync(from + path)
  // Sets the owner before the mode, because chown clears the set-user-id bit.
  chownSync(to + path, uid, gid)
  chmodSync(to + path, mode & 0o7777)
}
