import { UserError } from '../../errors.ts'
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
  if (/No space left|quota exceeded|File too large/i.test(output)) return `free disk space for '${target}': df -h`
  return `check both paths: ls -l '${file}' '${target}'`
}
