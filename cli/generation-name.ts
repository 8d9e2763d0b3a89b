/** What this machine's store knows of a host's images: root hash -> number, and when it was built. */
export type Generations = ReadonlyMap<string, { readonly number: number; readonly built: string }>

/** `generation 12 (1a2b3c4d5e6f)`; only the root where another machine built it. */
export function nameGeneration(generations: Generations, root: string): string {
  const known = generations.get(root)
  const short = root.slice(0, 12)
  return known === undefined ? `root ${short}` : `generation ${known.number} (${short})`
}
