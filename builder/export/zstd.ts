import { UserError } from '../../errors.ts'
import { run } from '../../lib/subprocess.ts'
import type { CompressFile } from './export.ts'

/** A program of an unpacked root: the file, its first arguments, its environment. */
export interface Zstd {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** With as many threads as there are cores, which changes no byte (zstd's manual, -T). */
export function zstdFile(zstd: Zstd, signal: AbortSignal): CompressFile {
  return async (file, target) => {
    const words = [...zstd.args, '-3', '-T0', '-q', '-f', file, '-o', target]
    const { exitCode, output } = await run(zstd.file, words, { env: zstd.env, signal })
    if (exitCode === 0) return
    throw new UserError('export', `zstd ended with ${exitCode} compressing '${file}': ${output.trim()}`, {
      hint: `make room where '${target}' is: df -h`,
    })
  }
}
