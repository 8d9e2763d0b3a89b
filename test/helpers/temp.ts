import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Makes a directory that is removed when the test ends. */
export async function tempDirectory(parent = tmpdir()): Promise<string> {
  const directory = await mkdtemp(join(parent, 'hangar-test-'))
  // Processes that received a signal may still write for a moment.
  onTestFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }))
  return directory
}

/** A parent for temporary directories: /dev/shm when programs can be written there and run, otherwise the disk. */
export function memory(): string {
  try {
    const directory = mkdtempSync('/dev/shm/hangar-test-')
    try {
      writeFileSync(join(directory, 'program'), '', { mode: 0o755 })
      accessSync(join(directory, 'program'), constants.X_OK)
    } finally {
      rmSync(directory, { recursive: true })
    }
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}
