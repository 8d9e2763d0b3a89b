import type { Range } from './ranges.ts'

/** How hangar transfers the blocks of a file to the host. */
export type Transfer =
  /** Sends every block, without a comparison. */
  | { readonly kind: 'full' }
  /** Sends only the blocks that the host lacks. The host finds them with the hash tree. */
  | { readonly kind: 'missing' }

/** Whether the host must compare its blocks with the hash tree before the first block is sent. */
export function comparesFirst(transfer: Transfer): boolean {
  return transfer.kind === 'missing'
}

/** The blocks of the first pass. Every later pass sends the blocks that the host still lacks. */
export async function firstPass(
  transfer: Transfer,
  all: Range,
  compare: () => Promise<readonly Range[]>,
): Promise<readonly Range[]> {
  switch (transfer.kind) {
    case 'full':
      return [all]
    case 'missing':
      return compare()
  }
}
