import { execFileSync } from 'node:child_process'

/** Node has no zstd of its own before 22.15. */
export function zstdCompressSync(bytes: Uint8Array): Buffer {
  return execFileSync('zstd', ['-qc1', '-'], { input: bytes, maxBuffer: 2 ** 30 })
}
