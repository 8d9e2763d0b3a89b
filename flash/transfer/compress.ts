import { endChild, exitOf, feed, startChild } from '../../lib/subprocess.ts'
import type { Program } from '../vm/program.ts'

export type Compress = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>

/**
 * Compresses with `zstd`. At level 3 the window is 2 MiB for any number of threads, so a host needs little memory to
 * decompress.
 */
export function zstdCompress(zstd: Program): Compress {
  return async function* (source) {
    const child = startChild(zstd, ['-3', '-T0', '-q', '-c'])
    const ended = exitOf(child)
    const fed = feed(child, source)
    let stderr = ''
    child.stderr.on('data', (data) => {
      stderr += String(data)
    })
    try {
      yield* child.stdout
      const code = await ended
      if (code !== 0) throw new Error(`zstd ended with status ${code}: ${stderr.trim()}`)
    } catch (error) {
      // Throws the error of the source first, because a failed source also stops zstd.
      const broken = await fed
      throw broken === undefined ? error : broken.failed
    } finally {
      endChild(child)
      await Promise.allSettled([ended, fed])
    }
  }
}
