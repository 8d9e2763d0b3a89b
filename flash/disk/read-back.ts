import { UserError } from '../../errors.ts'
import { Digester } from '../../images/digest.ts'
import type { Disk } from './disk.ts'
import type { Part, Stage } from './part.ts'

export interface ReadBackOptions {
  readonly advance: (bytes: number) => void
  readonly signal?: AbortSignal | undefined
}

/** Reads every part back from the disk itself. Throws at the first part whose digest differs. */
export async function readBack(
  disk: Disk,
  stages: readonly Stage[],
  { advance, signal }: ReadBackOptions,
): Promise<void> {
  const parts = stages.flatMap(({ parts }) => parts).sort((a, b) => a.offset - b.offset)
  for (const part of parts) {
    const digester = new Digester()
    let size = 0
    for await (const bytes of disk.read(part.offset, part.size)) {
      signal?.throwIfAborted()
      digester.update(bytes)
      size += bytes.length
      advance(bytes.length)
    }
    if (size !== part.size || digester.digest() !== part.digest) throw differs(disk, part)
  }
}

function differs({ path }: Disk, { what, offset, size }: Part): UserError {
  return new UserError(
    'digest',
    `'${path}' did not keep its bytes: '${what}' differs, bytes ${offset} to ${offset + size - 1}`,
    { hint: 'the disk or its reader fails, or the disk is smaller than it reports: use another disk' },
  )
}
