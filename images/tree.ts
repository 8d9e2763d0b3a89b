import { UserError } from '../errors.ts'

/** One path of a file tree that overlays describe. `mode` has the permission bits. */
export type Entry =
  | {
      readonly kind: 'file'
      readonly mode: number
      readonly content: string | Uint8Array
      readonly uid: number
      readonly gid: number
    }
  | { readonly kind: 'directory'; readonly mode: number; readonly uid: number; readonly gid: number }
  | { readonly kind: 'symlink'; readonly target: string }

/** Absolute path -> entry. Parent directories need no entry: they get mode 0755 and owner root:root. */
export type FileTree = Readonly<Record<string, Entry>>

export interface Owner {
  readonly uid: number
  readonly gid: number
}
const ROOT: Owner = { uid: 0, gid: 0 }

export function file(content: string | Uint8Array, mode = 0o644, owner: Owner = ROOT): Entry {
  return { kind: 'file', mode, content, uid: owner.uid, gid: owner.gid }
}

export function directory(mode = 0o755, owner: Owner = ROOT): Entry {
  return { kind: 'directory', mode, uid: owner.uid, gid: owner.gid }
}

export function symlink(target: string): Entry {
  return { kind: 'symlink', target }
}

/** Merges named trees. Throws if two trees have different entries for one path. */
export function mergeTrees(trees: Readonly<Record<string, FileTree>>): FileTree {
  const merged: Record<string, Entry> = {}
  const origin: Record<string, string> = {}
  for (const [name, tree] of Object.entries(trees)) {
    for (const [path, entry] of Object.entries(tree)) {
      const other = merged[path]
      if (other !== undefined && !sameEntry(other, entry)) {
        throw new UserError(
          'host',
          `the overlays '${origin[path]}' and '${name}' both write '${path}', with different content, mode or owner`,
        )
      }
      merged[path] = entry
      origin[path] ??= name
    }
  }
  return merged
}

function sameEntry(a: Entry, b: Entry): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
