import { chmodSync, chownSync, linkSync, lstatSync, renameSync, rmSync } from 'node:fs'
import { Refusal } from '../../refusal.ts'
import { captureBytes } from '../parts/exec.ts'
import type { ScriptChanges } from './script-changes.ts'

/** Applies the changes of maintainer scripts in the root `from` to the root `to`. */
export async function transplant(changes: ScriptChanges, from: string, to: string): Promise<void> {
  const { made, deleted, linked, moved } = changes
  // Keeps moved files outside of all directories meanwhile: a script may have moved a file out of a directory that it
  // deleted, or into one that it made.
  const kept = moved.map((each, index) => ({ to: each.to, kept: `/.hangar-moved-${index}`, from: each.from }))
  for (const { from: path } of moved) requireShipped(to, path, 'move')
  for (const { from: path } of linked) requireShipped(to, path, 'link to')
  for (const each of kept) renameSync(to + each.from, to + each.kept)
  for (const path of deleted) rmSync(to + path, { recursive: true, force: true })
  await pipe(COPY, made.map((path) => `.${path}\0`).join(''), from, to)
  for (const each of kept) renameSync(to + each.kept, to + each.to)
  // The file of a link is among the retouched ones, because a link changes the file's ctime.
  for (const each of linked) link(to + each.from, to + each.to)
  const retouched = [...changes.retouched, ...moved.map((each) => each.to)]
  for (const path of retouched) retouch(path, from, to)
  // Does not handle removed attributes: setfattr cannot remove them, and no known script removes an attribute of a
  // shipped file.
  await pipe(COPY_ATTRIBUTES, retouched.map((path) => `.${path}\0`).join(''), from, to)
}

function link(existing: string, path: string): void {
  rmSync(path, { force: true })
  linkSync(existing, path)
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
  requireShipped(to, path, 'change the mode of')
  const { mode, uid, gid } = lstatSync(from + path)
  // Sets the owner before the mode, because chown clears the set-user-id bit.
  chownSync(to + path, uid, gid)
  chmodSync(to + path, mode & 0o7777)
}

function requireShipped(to: string, path: string, action: string): void {
  if (lstatSync(to + path, { throwIfNoEntry: false }) !== undefined) return
  throw new Refusal(
    'carry',
    `maintainer scripts ${action} '${path}', which the target's packages do not ship`,
    'a package has other files for the target than for the builder: request another one',
  )
}
