import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../images/digest.ts'
import { replaceFile } from '../../lib/atomic-file.ts'
import type { Segment } from './segment.ts'

/** The segments of an output file, with its size and mtime, which show whether another program has changed the file. */
export interface FileState {
  readonly size: number
  readonly mtimeMs: number
  readonly segments: readonly Omit<Segment, 'source'>[]
  /** SHA-256 of the file; undefined when a block map covers the file. */
  readonly sha256: Digest | undefined
}

export type OutputState = Readonly<Record<string, FileState>>

interface StateFile {
  readonly format: number
  readonly files: OutputState
}

const NAME = '.state.json'
/** The format of the state file. hangar ignores a state of another format, and writes every file again. */
const FORMAT = 2

/**
 * The state that the last complete run wrote. Empty if there was no such run, if the last run was interrupted, or if a
 * file has changed since.
 */
export function readState(directory: string): OutputState {
  try {
    const { format, files } = JSON.parse(readFileSync(join(directory, NAME), 'utf8')) as StateFile
    if (format !== FORMAT) return {}
    return Object.entries(files).every(([name, state]) => isUntouched(join(directory, name), state)) ? files : {}
  } catch {
    return {}
  }
}

function isUntouched(file: string, { size, mtimeMs }: FileState): boolean {
  const found = statSync(file, { throwIfNoEntry: false })
  return found?.size === size && found.mtimeMs === mtimeMs
}

/** Empties the state before the first change, so that the next run does not trust the files of an interrupted run. */
export async function forgetState(directory: string): Promise<void> {
  await writeState(directory, {})
}

export async function writeState(directory: string, state: OutputState): Promise<void> {
  const text = JSON.stringify({ format: FORMAT, files: state } satisfies StateFile)
  // `exclusive` is safe, because every run that writes to the directory holds its lock.
  await replaceFile(join(directory, NAME), text, { exclusive: true })
}

export function fileState(file: string, segments: readonly Segment[], sha256: Digest | undefined): FileState {
  const { size, mtimeMs } = statSync(file)
  return {
    size,
    mtimeMs,
    segments: segments.map(({ source, ...segment }) => segment),
    sha256,
  }
}

/** Whether the file with this state already has exactly these segments. */
export function holds(
  state: FileState | undefined,
  size: number,
  segments: readonly Omit<Segment, 'source'>[],
): state is FileState {
  if (state?.size !== size || state.segments.length !== segments.length) return false
  return segments.every(({ offset, size: length, digest }, index) => {
    const known = state.segments[index]
    return known?.offset === offset && known.size === length && known.digest === digest
  })
}

/** The bytes of these segments that the file with this state already has. */
export function sharedBytes(state: FileState, segments: readonly Segment[]): number {
  const known = new Set(state.segments.map(keyOf))
  return segments.reduce((sum, segment) => (known.has(keyOf(segment)) ? sum + segment.size : sum), 0)
}

/** Whether a file has not changed since its state was read. */
export function isSameState(found: FileState | undefined, before: FileState): boolean {
  return found?.mtimeMs === before.mtimeMs && holds(found, before.size, before.segments)
}

/** Identifies a segment of a file: its place and its bytes. */
export function keyOf({ offset, size, digest }: Omit<Segment, 'source'>): string {
  return `${offset} ${size} ${digest}`
}

/** The digest of a padded file of the store; undefined if the output file has no segment with this content. */
export function filledDigest(state: FileState | undefined, content: Digest): Digest | undefined {
  return state?.segments.find((segment) => segment.content === content)?.digest
}
