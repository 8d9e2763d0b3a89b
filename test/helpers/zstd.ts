import { execFileSync } from 'node:child_process'

/** Compresses with the program zstd, because Node has zstd only since version 22.15. */
export function zstdCompressSync(bytes: Uint8Array): Buffer {
  return execFileSync('zstd', ['-qc1', '-'], { input: bytes, maxBuffer: 2 ** 30 })
}
