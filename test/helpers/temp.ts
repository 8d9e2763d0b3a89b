import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A directory that is gone when the test has ended. */
export async function tempDirectory(parent = tmpdir()): Promise<string> {
  const directory = await mkdtemp(join(parent, 'hangar-test-'))
  // What was told to stop may write a little longer.
  onTestFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }))
  return directory
}

/** Where a test writes what nobody keeps: memory, unless the machine has none of it to write to and to run programs from. */
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
