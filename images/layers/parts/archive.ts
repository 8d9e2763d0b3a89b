import { closeSync, openSync, readSync } from 'node:fs'

/** A member of an ar archive: its position and size in bytes. */
export interface Member {
  readonly name: string
  readonly offset: number
  readonly size: number
}

const AR_MAGIC = '!<arch>\n'
const AR_HEADER = 60

/** Lists the members of a `.deb` (deb(5)): `debian-binary`, `control.tar.*`, `data.tar.*`. Reads only their headers. */
export function arMembers(path: string): Member[] {
  const file = openSync(path, 'r')
  try {
    const read = (offset: number, size: number) => {
      const bytes = Buffer.alloc(size)
      return bytes.toString('latin1', 0, readSync(file, bytes, 0, size, offset))
    }
    if (read(0, AR_MAGIC.length) !== AR_MAGIC) throw new Error(`'${path}' is not a Debian package`)
    const members: Member[] = []
    let offset = AR_MAGIC.length
    for (let head = read(offset, AR_HEADER); head.length === AR_HEADER; head = read(offset, AR_HEADER)) {
      const size = Number(head.slice(48, 58))
      members.push({ name: head.slice(0, 16).trimEnd().replace(/\/$/, ''), offset: offset + AR_HEADER, size })
      // Members begin at even offsets.
      offset += AR_HEADER + size + (size % 2)
    }
    return members
  } finally {
    closeSync(file)
  }
}

const BLOCK = 512

/** Reads the regular files of concatenated tar archives: one map (name -> content) for each archive. */
export function readTars(bytes: Buffer): Map<string, Buffer>[] {
  const archives: Map<string, Buffer>[] = []
  let current: Map<string, Buffer> | undefined
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const head = bytes.subarray(at, at + BLOCK)
    at += BLOCK
    if (head[0] === 0) {
      // Skips the zeros at the end of an archive. The next header begins another archive.
      current = undefined
      continue
    }
    if (current === undefined) {
      current = new Map()
      archives.push(current)
    }
    const size = Number.parseInt(head.toString('latin1', 124, 136), 8)
    const type = head.toString('latin1', 156, 157)
    if (type === '0' || type === '\0')
      current.set(cString(head.subarray(0, 100)).replace(/^\.\//, ''), bytes.subarray(at, at + size))
    at += Math.ceil(size / BLOCK) * BLOCK
  }
  return archives
}

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}
