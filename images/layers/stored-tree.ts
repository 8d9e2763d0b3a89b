import type { FileTree } from '../tree.ts'

/** An entry of `tree.json`. A file has the field `text`, or the field `base64` if its content is not text. */
export type StoredEntry =
  | { kind: 'file'; mode: number; text?: string; base64?: string; uid: number; gid: number }
  | { kind: 'directory'; mode: number; uid: number; gid: number }
  | { kind: 'symlink'; target: string }

/** A file tree as JSON, the form in which recipes pass trees to steps. */
export type StoredTree = Record<string, StoredEntry>

/** Converts a tree for `tree.json`, with sorted paths. */
export function storedTree(tree: FileTree): StoredTree {
  const stored = Object.entries(tree).map(([path, entry]): [string, StoredEntry] => {
    if (entry.kind !== 'file') return [path, entry]
    const { content, ...rest } = entry
    const bytes = typeof content === 'string' ? { text: content } : { base64: Buffer.from(content).toString('base64') }
    return [path, { ...rest, ...bytes }]
  })
  return Object.fromEntries(stored.sort(([a], [b]) => (a < b ? -1 : 1)))
}
