import { closeSync, fsyncSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { withArtifact } from '../../flash/targets/pi/artifact.ts'
import { zstdCompress } from '../../flash/transfer/compress.ts'
import { records } from '../../flash/transfer/stream.ts'
import { programOf } from '../../flash/vm/program.ts'
import { BLOCK } from '../../images/layout.ts'
import { controlPrograms } from '../helpers/control-programs.ts'
import { compileC, partsOfBlocks } from '../helpers/native-program.ts'
import { runIn } from '../helpers/project.ts'
import { PROJECT } from '../helpers/toolchain.ts'
import { slowDisk } from './slow-disk.ts'

const RUNS = 12

/** Seconds for a slot, and its bytes. */
export interface Written {
  readonly ours: number
  /** Time of `dd` with direct I/O, as the agent writes. */
  readonly direct: number
  /** Time of `dd` through the page cache. The limit of a slow disk applies only to direct I/O. */
  readonly cached: number | undefined
  readonly size: number
}

/**
 * Times the device's own pipeline and both kinds of `dd` in turns. Undefined if the kernel cannot limit the speed of a disk.
 */
export async function writtenSlots(directory: string, bytesPerSecond?: number): Promise<Written | undefined> {
  const { blocks, env, unpack } = await prepared(directory)
  const size = blocks * BLOCK
  const file = join(directory, 'disk')
  writtenOnce(file, size)
  const slow = bytesPerSecond === undefined ? undefined : slowDisk(file, bytesPerSecond)
  if (bytesPerSecond !== undefined && slow === undefined) return undefined
  try {
    const to = slow?.device ?? file
    const dd = `dd if='${join(PROJECT, 'out/adama/slot.img')}' of=${to} bs=1M count=${size} iflag=count_bytes conv=notrunc,fsync status=none`
    const lines = [`${unpack} <records | ./blocks write ${to} 0 ${blocks}`, `${dd} oflag=direct`]
    if (slow === undefined) lines.push(dd)
    const commands = lines.map((line) => slow?.command(line) ?? line)
    const [ours = Number.NaN, direct = Number.NaN, cached] = await medians(directory, env, commands)
    return { ours, direct, cached, size }
  } finally {
    slow?.remove()
  }
}

async function prepared(directory: string) {
  const zstd = programOf(await controlPrograms(), 'zstd')
  compileC('cc', join(directory, 'blocks'), partsOfBlocks(), [])
  const blocks = await withArtifact('adama', join(PROJECT, 'out/adama'), async ({ manifest, slot }) => {
    const { dataBlocks } = manifest.slot
    const pieces: Uint8Array[] = []
    for await (const piece of zstdCompress(zstd)(records(slot, [{ first: 0, count: dataBlocks }]))) pieces.push(piece)
    writeFileSync(join(directory, 'records'), Buffer.concat(pieces))
    return dataBlocks
  })
  const unpack = [zstd.file, ...zstd.args, '-dcq', '-M16MiB'].map((word) => `'${word}'`).join(' ')
  return { blocks, env: { ...zstd.env }, unpack }
}

/** Seconds of each command. The commands run in turns, so that load from other programs affects all of them. */
async function medians(cwd: string, env: Readonly<Record<string, string>>, lines: readonly string[]) {
  const times = lines.map((): number[] => [])
  for (let run = 0; run < RUNS; run++)
    for (const [index, line] of lines.entries()) {
      const time = await timed(cwd, env, line)
      // The first run of each command reads the source into the page cache.
      if (run > 0) times[index]?.push(time)
    }
  return times.map(median)
}

async function timed(cwd: string, env: Readonly<Record<string, string>>, line: string): Promise<number> {
  const begun = performance.now()
  const { code, stderr } = await runIn({ cwd, env }, 'sh', '-c', line)
  if (code !== 0) throw new Error(`'${line}' failed with status ${code}: ${stderr}`)
  return (performance.now() - begun) / 1000
}

/** A fully allocated file, because writes to a partition allocate no blocks. */
function writtenOnce(path: string, size: number): void {
  const file = openSync(path, 'w')
  const piece = Buffer.alloc(2 ** 20, 'another generation ')
  for (let at = 0; at < size; at += piece.length) writeSync(file, piece)
  fsyncSync(file)
  closeSync(file)
}

function median(times: readonly number[]): number {
  return [...times].sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? Number.NaN
}
