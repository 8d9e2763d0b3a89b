import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { MIB } from '../../images/layout.ts'
import type { DiskState } from './disk-state.ts'
import { ZEROS } from './interval-map.ts'

/** Writes the state of the disk at a cut to a file. `base` is the file of the disk at the beginning of the log. */
export function writeDisk(disk: DiskState, base: string, path: string): void {
  execFileSync('cp', ['--sparse=always', '--reflink=auto', base, path])
  apply(disk, path)
}

/** Writes a part of the disk to a file. The part was blank after its first `used` bytes at the beginning of the log. */
export function writePart(part: DiskState, path: string, used: number): void {
  writeFileSync(path, '')
  truncateSync(path, part.size)
  const file = openSync(path, 'r+')
  for (let at = 0; at < used; at += MIB) put(file, at, part.read(at, MIB))
  closeSync(file)
  apply(part, path)
}

function apply(disk: DiskState, path: string): void {
  const file = openSync(path, 'r+')
  try {
    for (const { start, end, source } of disk.applied(0, disk.size)) {
      for (let at = start; at < end; at += MIB) {
        const length = Math.min(MIB, end - at)
        if (source === ZEROS) putZeros(file, at, length)
        else writeSync(file, disk.read(at, length), 0, length, at)
      }
    }
  } finally {
    closeSync(file)
  }
}

/** Writes zeros only where the file has other bytes, so that holes stay holes. */
function putZeros(file: number, at: number, length: number): void {
  const bytes = Buffer.alloc(length)
  readSync(file, bytes, 0, length, at)
  if (bytes.some((byte) => byte !== 0)) writeSync(file, bytes.fill(0), 0, length, at)
}

function put(file: number, at: number, bytes: Uint8Array): void {
  if (bytes.some((byte) => byte !== 0)) writeSync(file, bytes, 0, bytes.length, at)
}
