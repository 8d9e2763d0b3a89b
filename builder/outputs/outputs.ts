import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import { isFullCode } from '../../lib/file-problem.ts'
import { formatSize } from '../../lib/format.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import { SHARING, type Sharing, seedFile } from './seed.ts'
import { bytesSegment, type Segment } from './segment.ts'
import { type FileState, fileState, forgetState, holds, type OutputState, writeState } from './state.ts'
import { digestSegments, writeSegments } from './write.ts'

/** A file of an output directory. */
export interface OutputFile {
  readonly size: number
  readonly segments: readonly Segment[]
  /** The file's SHA-256 for SHA256SUMS; undefined if a block map covers the file. */
  readonly sha256: Digest | undefined
}

export interface SummedFile extends OutputFile {
  readonly sha256: Digest
}

/**
 * A file with its SHA-256. For an unchanged file, the SHA-256 comes from `state`, because hashing takes most of the
 * time of a small build.
 */
export function summed(state: FileState | undefined, size: number, segments: readonly Segment[]): SummedFile {
  const known = holds(state, size, segments) ? state.sha256 : undefined
  return { size, segments, sha256: known ?? digestSegments(size, segments) }
}

export function textFile(text: string | Uint8Array): SummedFile {
  const bytes = Buffer.from(text)
  return { size: bytes.length, segments: [bytesSegment(0, bytes)], sha256: digestOf(bytes) }
}

/** What `writeOutputs` did with an output directory. */
export type Outcome = 'written' | 'patched' | 'unchanged'

/**
 * Makes a directory contain exactly these files and SHA256SUMS. Writes only the bytes that differ from `state`, or from a
 * file in a directory beside this one.
 */
export async function writeOutputs(
  directory: string,
  state: OutputState,
  given: Readonly<Record<string, OutputFile>>,
  sharing = SHARING,
): Promise<Outcome> {
  const files = { ...given, SHA256SUMS: textFile(sumsText(given)) }
  const changed = Object.entries(files).filter(([name, { size, segments }]) => !holds(state[name], size, segments))
  const gone = Object.keys(state).filter((name) => !(name in files))
  if (changed.length + gone.length === 0) return 'unchanged'
  try {
    makeDirectory(directory)
    await forgetState(directory)
    for (const name of [...gone, ...staleSignatures(files)]) await rm(join(directory, name), { force: true })
    for (const [name, file] of changed) writeFile(join(directory, name), file, state[name], sharing)
    await writeState(directory, stateOf(directory, files))
  } catch (error) {
    throw isFull(error) ? diskFull(directory, files, error) : error
  }
  return Object.keys(state).length === 0 ? 'written' : 'patched'
}

function writeFile(path: string, { size, segments }: OutputFile, own: FileState | undefined, sharing: Sharing): void {
  writeSegments(path, size, segments, seedFile(path, segments, own, sharing) ?? own)
}

/**
 * Deletes the signature of an earlier manifest, even if no state lists the signature: it would not match the new
 * manifest.
 */
function staleSignatures(files: Readonly<Record<string, OutputFile>>): string[] {
  return ['manifest.json.sig'].filter((name) => !(name in files))
}

function stateOf(directory: string, files: Readonly<Record<string, OutputFile>>): OutputState {
  const states = Object.entries(files).map(
    ([name, { segments, sha256 }]) => [name, fileState(join(directory, name), segments, sha256)] as const,
  )
  return Object.fromEntries(states)
}

/** The text of SHA256SUMS, without the files that a block map covers. */
export function sumsText(files: Readonly<Record<string, { readonly sha256?: Digest | undefined }>>): string {
  return Object.entries(files)
    .filter(([, { sha256 }]) => sha256 !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { sha256 }]) => `${sha256}  ${name}\n`)
    .join('')
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && isFullCode(String(error.code))
}

function diskFull(directory: string, files: Readonly<Record<string, OutputFile>>, cause: unknown): UserError {
  const segments = Object.values(files).flatMap((file) => file.segments)
  const needed = formatSize(segments.reduce((sum, { size }) => sum + size, 0))
  return new UserError('size', `cannot write '${directory}': the disk is full, the files take ${needed}`, {
    hint: `free disk space (df -h '${directory}'), then run the same command again: it continues where it stopped`,
    cause,
  })
}
