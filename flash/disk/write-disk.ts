import { type FileHandle, open } from 'node:fs/promises'
import { during, type Progress } from '../../lib/reporter.ts'
import { isStop, stopped } from '../clock.ts'
import type { Disk } from './disk.ts'
import type { Stage } from './part.ts'
import type { DiskPlan } from './plan.ts'
import { readBack } from './read-back.ts'
import { writeStages } from './write.ts'

export interface WriteDiskOptions {
  /** The path of the disk image. */
  readonly image: string
  readonly progress: Progress
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes a disk, reads everything back, and then makes the disk bootable. After an interruption the disk is unbootable,
 * and the next call starts from the beginning.
 */
export async function writeDisk(disk: Disk, plan: DiskPlan, options: WriteDiskOptions): Promise<void> {
  const image = await open(options.image)
  try {
    await writeAndReadBack(disk, plan, { ...options, image })
  } catch (error) {
    const [state, hint] = [
      `'${disk.path}' is incomplete and not bootable`,
      'to write it from the beginning, run the same command again',
    ]
    if (isStop(error)) throw stopped(state, hint, error)
    options.progress.notice(`${state}; ${hint}`)
    throw error
  } finally {
    await image.close()
  }
}

interface Opened {
  readonly image: FileHandle
  readonly progress: Progress
  readonly signal?: AbortSignal | undefined
}

async function writeAndReadBack(disk: Disk, { unbootable, bootable }: DiskPlan, options: Opened): Promise<void> {
  const { progress, signal, image } = options
  const size = sizeOf(unbootable)
  await during(progress, 'write', ({ advance }) => writeStages(disk, unbootable, { image, advance, signal }), {
    totalBytes: size,
  })
  await during(progress, 'read back', ({ advance }) => readBack(disk, unbootable, { advance, signal }), {
    totalBytes: size,
  })
  // Ignores Ctrl-C from here on: the disk must get all of the last blocks or none.
  await during(progress, 'make bootable', () => makeBootable(disk, { unbootable, bootable }, image))
}

async function makeBootable(disk: Disk, { unbootable, bootable }: DiskPlan, image: FileHandle): Promise<void> {
  const advance = () => undefined
  try {
    await writeStages(disk, bootable, { image, advance })
    await readBack(disk, bootable, { advance })
  } catch (error) {
    // Makes a disk unbootable after a failed check. Ignores an error of this write: such a disk probably accepts no
    // writes at all.
    await writeStages(disk, unbootable.slice(0, 2), { image, advance }).catch(() => undefined)
    throw error
  }
}

export function sizeOf(stages: readonly Stage[]): number {
  return stages.flatMap(({ parts }) => parts).reduce((sum, { size }) => sum + size, 0)
}
