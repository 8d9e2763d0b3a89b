import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { digestOf } from '../../../images/digest.ts'
import { formatSize } from '../../../lib/format.ts'
import { makeDirectory } from '../../../lib/make-directory.ts'
import type { Reporter } from '../../../lib/reporter.ts'

/** What a build sent to an engine. */
export interface Sent {
  /** The directory of the store. */
  readonly root: string
  /** The address of the engine. */
  readonly engine: string
  /** The paths of all files that the engine needed. */
  readonly given: ReadonlySet<string>
  /** The number of bytes that went to the engine. */
  readonly sent: number
}

/** Bytes. Less is no reason for a warning, and may be the messages around the files. */
const TOLERATED = 32 * 2 ** 20

/** Remembers what the engine has, and warns when the engine has lost files that earlier builds sent to it. */
export function noteSent({ root, engine, given, sent }: Sent, reporter: Pick<Reporter, 'warn'>): void {
  const file = join(root, 'engines', digestOf(engine))
  const known = knownNames(file)
  const expected = [...given].filter((path) => !known.has(basename(path))).reduce((sum, path) => sum + sizeOf(path), 0)
  const again = sent - expected
  const isLost = known.size > 0 && again > TOLERATED
  if (isLost) {
    reporter.warn(
      `the Dagger engine at '${engine}' has lost files that earlier builds sent to it: ${formatSize(again)} went again, and it rebuilds everything; set its garbage collection as in docs/builders.md`,
    )
  }
  remember(file, new Set([...(isLost ? [] : known), ...[...given].map((path) => basename(path))]))
}

function knownNames(file: string): ReadonlySet<string> {
  try {
    return new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean))
  } catch {
    return new Set()
  }
}

/** Only a warning needs the file, so a build does not fail without it. */
function remember(file: string, names: ReadonlySet<string>): void {
  try {
    makeDirectory(join(file, '..'))
    writeFileSync(file, [...names].sort().join('\n'))
  } catch {
    // Ignores the error.
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
