/** The generations of a host in this store: root hash -> number and build time. */
export type Generations = ReadonlyMap<string, { readonly number: number; readonly built: string }>

/** The name of an image: `generation 12 (1a2b3c4d5e6f)`, or `root 1a2b3c4d5e6f` if the image is not in this store. */
export function nameGeneration(generations: Generations, root: string): string {
  const known = generations.get(root)
  const short = root.slice(0, 12)
  return known === undefined ? `root ${short}` : `generation ${known.number} (${short})`
}
