import { UserError } from '../../errors.ts'
import { run } from '../../lib/subprocess.ts'
import type { CompressFile } from './export.ts'

/** A program in an unpacked root file system: the file, its first arguments, its environment. */
export interface Zstd {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Compresses with one thread for each core; the number of threads changes no byte (zstd(1), -T). */
export function zstdFile(zstd: Zstd, signal: AbortSignal): CompressFile {
  return async (file, target) => {
    const words = [...zstd.args, '-3', '-T0', '-q', '-f', file, '-o', target]
    const { exitCode, output } = await run(zstd.file, words, { env: zstd.env, signal })
    if (exitCode === 0) return
    throw new UserError(
      'export',
      `zstd failed with status ${exitCode} while it compressed '${file}': ${output.trim()}`,
      {
        hint: `check the free disk space of '${target}': df -h`,
      },
    )
  }
}
