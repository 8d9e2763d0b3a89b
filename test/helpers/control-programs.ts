import { unpackPrograms } from '../../cli/programs.ts'
import { type Program, type ProgramRoot, programOf } from '../../flash/vm/program.ts'
import { CONTROL } from '../../images/sets.ts'
import { exitOf, feed, startChild } from '../../lib/subprocess.ts'
import { listReporter } from './reporter.ts'
import { PROJECT } from './toolchain.ts'

/** ssh and zstd from the lock, as the commands use them; fetched at first use. */
export function controlPrograms(): Promise<ProgramRoot> {
  const signal = new AbortController().signal
  return unpackPrograms(
    { env: process.env, project: PROJECT, reporter: listReporter(), now: new Date(), signal },
    CONTROL,
  )
}

/** Decompresses as the host does, with memory for a window of 16 MiB. */
export function zstdUnpack(programs: ProgramRoot) {
  const zstd: Program = programOf(programs, 'zstd')
  return async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const child = startChild(zstd, ['-dcq', '-M16MiB'])
    const ended = exitOf(child)
    const fed = feed(child, source)
    child.stderr.resume()
    yield* child.stdout as AsyncIterable<Uint8Array>
    await Promise.all([ended, fed])
  }
}
