import { text } from 'node:stream/consumers'
import { BLOCK } from '../../images/layout.ts'
import { exitOf, startChild } from '../../lib/subprocess.ts'
import { diskFailure } from './failure.ts'
import { PIECE } from './part.ts'

/**
 * Reads past the kernel's cache, which could return bytes that never reached the disk. Direct reads need aligned
 * memory, which Node does not offer. For this reason dd reads whole blocks, and this function drops the bytes outside
 * the range.
 */
export async function* readAround(
  path: string,
  kind: 'device' | 'file',
  offset: number,
  size: number,
): AsyncGenerator<Uint8Array> {
  const start = Math.floor(offset / BLOCK) * BLOCK
  const end = Math.ceil((offset + size) / BLOCK) * BLOCK
  let at = start
  for await (const bytes of wholeBlocks(path, kind, start, end - start)) {
    const from = Math.max(0, offset - at)
    const to = Math.min(bytes.length, offset + size - at)
    at += bytes.length
    if (to > from) yield bytes.subarray(from, to)
  }
}

/** Drops the cache and reads normally if the file system does not support direct reads. */
async function* wholeBlocks(
  path: string,
  kind: 'device' | 'file',
  offset: number,
  size: number,
): AsyncGenerator<Uint8Array> {
  const stderr = yield* dd(path, 'direct', offset, size)
  if (stderr === '') return
  const isUnknown = kind === 'file' && stderr.includes('failed to open') && stderr.includes('Invalid argument')
  const second = isUnknown ? yield* dd(path, 'nocache', offset, size) : stderr
  if (second !== '') throw diskFailure('read', path, new Error(second))
}

/** Returns dd's stderr; empty if dd read to the end. */
async function* dd(
  path: string,
  way: 'direct' | 'nocache',
  offset: number,
  size: number,
): AsyncGenerator<Uint8Array, string> {
  const flags = `iflag=${way},skip_bytes,count_bytes,fullblock`
  const args = [`if=${path}`, `bs=${PIECE}`, `skip=${offset}`, `count=${size}`, flags, 'status=none']
  const child = startChild({ file: 'dd', args: [], env: { LC_ALL: 'C' } }, args)
  child.stdin.end()
  const ended = Promise.all([exitOf(child), text(child.stderr)])
  ended.catch(() => undefined)
  let reading: 'on' | 'over' = 'on'
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>
    reading = 'over'
  } finally {
    // Stops dd only if the consumer stopped early. Otherwise dd ends by itself, and its exit status counts.
    if (reading === 'on') child.kill('SIGKILL')
  }
  const [status, stderr] = await ended
  return status === 0 ? '' : stderr.trim() || `dd ended with status ${status}`
}
