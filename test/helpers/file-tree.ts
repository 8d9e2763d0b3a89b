import type { FileTree } from '../../images/tree.ts'

/** The text of a file in a tree. */
export function textAt(tree: FileTree, path: string): string {
  const entry = tree[path]
  if (entry?.kind !== 'file') throw new Error(`the tree has no file '${path}'; it has: ${Object.keys(tree).join(' ')}`)
  return String(entry.content)
}

export function linesAt(tree: FileTree, path: string): string[] {
  return textAt(tree, path).split('\n')
}
