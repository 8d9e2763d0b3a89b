import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../images/digest.ts'
import { replaceFile } from '../../lib/atomic-file.ts'
import type { Segment } from './segment.ts'

/** What is known of an output file: where which content lies, and how to notice that somebody else wrote to it. */
export interface FileState {
  readonly size: number
  readonly mtimeMs: number
  readonly segments: readonly Omit<Segment, 'source'>[]
  /** Of the whole file, where it was asked for. */
  readonly sha256: Digest | undefined
}

export type OutputState = Readonly<Record<string, FileState>>

interface StateFile {
  readonly format: number
  readonly files: OutputState
}

const NAME = '.state.json'
/** What another one says is not read: the files are written anew, which is what the state is there to save. */
const FORMAT = 2

/** What the last complete run left; empty where there was none, where it was cut short, or where files changed since. */
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

/** Before the first change: a run that is cut short must not be taken for a complete one. */
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

/** Whether a file holds these segments and nothing else. */
export function holds(state: FileState | undefined, size: number, segments: readonly Segment[]): state is FileState {
  if (state?.size !== size || state.segments.length !== segments.length) return false
  return segments.every(({ offset, size: length, digest }, index) => {
    const known = state.segments[index]
    return known?.offset === offset && known.size === length && known.digest === digest
  })
}

/** The digest of a file of the store once it is filled up with zeros, where an output file has it. */
export function filledDigest(state: FileState | undefined, content: Digest): Digest | undefined {
  return state?.segments.find((segment) => segment.content === content)?.digest
}
