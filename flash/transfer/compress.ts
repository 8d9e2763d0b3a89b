import { endChild, exitOf, feed, startChild } from '../child.ts'
import type { Program } from '../vm/program.ts'

export type Compress = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>

/**
 * Through `zstd`. At level 3 its window is 2 MiB, whatever the number of threads: a host needs no more memory than that
 * to unpack it.
 */
export function zstdCompress(zstd: Program): Compress {
  return async function* (source) {
    const child = startChild(zstd, ['-3', '-T0', '-q', '-c'])
    const ended = exitOf(child)
    const fed = feed(child, source)
    let complaint = ''
    child.stderr.on('data', (data) => {
      complaint += String(data)
    })
    try {
      yield* child.stdout
      const code = await ended
      if (code !== 0) throw new Error(`zstd ended with ${code}: ${complaint.trim()}`)
    } catch (error) {
      // A source that fails takes the program with it: what it says of its own end is no news.
      const broken = await fed
      throw broken === undefined ? error : broken.failed
    } finally {
      endChild(child)
      await Promise.allSettled([ended, fed])
    }
  }
}
