import { execFileSync } from 'node:child_process'

/** Compresses with the program zstd, because node has zstd only since 22.15. */
export function zstdCompressSync(bytes: Uint8Array): Buffer {
  return execFileSync('zstd', ['-qc1', '-'], { input: bytes, maxBuffer: 2 ** 30 })
}
