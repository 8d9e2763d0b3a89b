/** The number of blobs that a transfer has, and their bytes. */
export interface Amount {
  readonly count: number
  readonly bytes: number
}

export function amountOf(blobs: readonly { readonly size: number }[]): Amount {
  return { count: blobs.length, bytes: blobs.reduce((sum, { size }) => sum + size, 0) }
}

export function countText(count: number): string {
  return `${count} ${count === 1 ? 'file' : 'files'}`
}
