import { dirname } from 'node:path'
import { UserError } from '../../errors.ts'
import { fullDiskLine, spaceOf } from '../../lib/full-disk.ts'
import type { Command } from '../../lib/program-error.ts'
import { run } from '../../lib/subprocess.ts'
import type { CompressFile } from './export.ts'

/** Compresses with one thread for each core; the number of threads changes no byte (zstd(1), -T). */
export function zstdFile(zstd: Command, signal: AbortSignal): CompressFile {
  return async (file, target) => {
    const words = ['-3', '-T0', '-q', '-f', file, '-o', target]
    const { exitCode, output } = await run(zstd, words, { signal })
    if (exitCode === 0) return
    throw new UserError(
      'export',
      `zstd failed with status ${exitCode} while it compressed '${file}': ${output.trim()}`,
      { hint: hintFor(output, file, target) },
    )
  }
}

function hintFor(output: string, file: string, target: string): string {
  if (fullDiskLine(output) !== undefined) {
    const mount = spaceOf(dirname(target))?.mount ?? dirname(target)
    return `free disk space on the file system '${mount}' for '${target}': df -h '${mount}'`
  }
  if (/File too large/i.test(output)) return `the file system of '${target}' holds no file of this size: choose another`
  return `check both paths: ls -l '${file}' '${target}'`
}
