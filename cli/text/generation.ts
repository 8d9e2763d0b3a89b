/** A host's generations in this machine's store: root hash -> number and build time. */
export type Generations = ReadonlyMap<string, { readonly number: number; readonly built: string }>

/** `generation 12 (1a2b3c4d5e6f)`; `root 1a2b3c4d5e6f` if another machine built it. */
export function nameGeneration(generations: Generations, root: string): string {
  const known = generations.get(root)
  const short = root.slice(0, 12)
  return known === undefined ? `root ${short}` : `generation ${known.number} (${short})`
}
