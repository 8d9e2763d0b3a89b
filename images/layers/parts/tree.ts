import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { StoredEntry, StoredTree } from '../stored-tree.ts'

/** Writes a tree below a directory. Replaces files and links that are there. */
export function writeTree(root: string, tree: StoredTree): void {
  mkdirSync(root, { recursive: true })
  for (const path of Object.keys(tree).sort()) write(root + path, tree[path] as StoredEntry)
}

function write(file: string, entry: StoredEntry): void {
  mkdirSync(dirname(file), { recursive: true })
  if (entry.kind === 'directory') {
    mkdirSync(file, { recursive: true })
  } else {
    if (existsSync(file) || isLink(file)) rmSync(file)
    if (entry.kind === 'symlink') {
      symlinkSync(entry.target, file)
      return
    }
    writeFileSync(file, entry.base64 === undefined ? (entry.text ?? '') : Buffer.from(entry.base64, 'base64'))
  }
  chownSync(file, entry.uid, entry.gid)
  chmodSync(file, entry.mode)
}

function isLink(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}
