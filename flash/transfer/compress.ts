import { UserError } from '../../errors.ts'
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
    // This promise may reject before the code below waits for it.
    ended.catch(() => undefined)
    const fed = feed(child, source)
    let stderr = ''
    child.stderr.on('data', (data) => {
      stderr += String(data)
    })
    try {
      yield* child.stdout
      const code = await ended
      if (code !== 0) throw zstdFailure(code, stderr)
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

function zstdFailure(code: number, stderr: string): UserError {
  const reason = stderr.trim() || 'it wrote no error'
  return new UserError('program', `zstd failed on this machine with status ${code}: ${reason}`, {
    hint: 'check free memory (free -m), then run the same command again',
  })
}
