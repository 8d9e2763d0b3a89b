import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../images/digest.ts'
import { replaceFile } from '../../lib/atomic-file.ts'
import type { Segment } from './segment.ts'

/** The segments of an output file, with size and mtime: both show when another program changed the file. */
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
/** A state of another format is ignored: hangar then writes every file again. */
const FORMAT = 2

/** The state that the last complete run left. Empty without one, after an interrupted run, and when a file changed. */
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

/** Called before the first change, so that an interrupted run does not count as complete. */
export async function forgetState(directory: string): Promise<void> {
  await writeState(directory, {})
}

export async function writeState(directory: string, state: OutputState): Promise<void> {
  const text = JSON.stringify({ format: FORMAT, files: state } satisfies StateFile)
  // Runs that write to the directory hold its lock.
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

/** Whether a file has exactly these segments. */
export function holds(state: FileState | undefined, size: number, segments: readonly Segment[]): state is FileState {
  if (state?.size !== size || state.segments.length !== segments.length) return false
  return segments.every(({ offset, size: length, digest }, index) => {
    const known = state.segments[index]
    return known?.offset === offset && known.size === length && known.digest === digest
  })
}

/** The digest of a padded file of the store, when an output file has a segment with it. */
export function filledDigest(state: FileState | undefined, content: Digest): Digest | undefined {
  return state?.segments.find((segment) => segment.content === content)?.digest
}
