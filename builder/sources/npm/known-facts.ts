import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { canonicalJson } from '../../../images/canonical.ts'
import { isDigest } from '../../../images/digest.ts'
import { hexOf, type Integrity } from '../../../images/npm/integrity.ts'
import type { TarballFacts } from '../../../images/npm/tarball-facts.ts'
import { replaceFile } from '../../../lib/atomic-file.ts'
import { makeDirectory } from '../../../lib/make-directory.ts'
import type { Store } from '../../store/store.ts'

/** The version of the facts. Raise it when hangar reads more from tarballs: it then reads them again. */
const FORMAT = 1

/**
 * The facts that earlier runs stored. They stay in the store when `gc` deletes a tarball: without them, hangar would have to
 * fetch every tarball of a layer only to find out that the store has the layer.
 */
export function recalledFacts(store: Store, wanted: readonly Integrity[]): Map<Integrity, TarballFacts> {
  return new Map(
    wanted.flatMap((integrity) => {
      const facts = readFacts(fileOf(store, integrity), integrity)
      return facts === undefined ? [] : [[integrity, facts] as const]
    }),
  )
}

export async function storeFacts(store: Store, integrity: Integrity, facts: TarballFacts): Promise<void> {
  const file = fileOf(store, integrity)
  makeDirectory(dirname(file))
  await replaceFile(file, `${canonicalJson({ format: FORMAT, integrity, ...facts } as never)}\n`)
}

function fileOf(store: Store, integrity: Integrity): string {
  const name = hexOf(integrity)
  return join(store.root, 'npm', name.slice(0, 2), `${name}.json`)
}

function readFacts(file: string, wanted: Integrity): TarballFacts | undefined {
  try {
    const { format, integrity, ...facts } = JSON.parse(readFileSync(file, 'utf8')) as Stored
    return format === FORMAT && integrity === wanted && isDigest(facts.sha256) ? facts : undefined
  } catch {
    // The file is missing, or a power failure truncated it. In both cases hangar reads the tarball again.
    return undefined
  }
}

type Stored = TarballFacts & { readonly format: number; readonly integrity: Integrity }
