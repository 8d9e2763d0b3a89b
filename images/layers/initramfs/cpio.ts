import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/**
 * Packs a directory into a cpio archive in the kernel's `newc` format
 * (Documentation/driver-api/early-userspace/buffer-format.rst): sorted, owned by root, without times. The same tree gives
 * the same bytes.
 */
export function cpioOf(root: string): Buffer {
  const pieces: Buffer[] = []
  let inode = 1
  const visit = (path: string) => {
    const stats = lstatSync(`${root}/${path}`)
    const data = stats.isFile()
      ? readFileSync(`${root}/${path}`)
      : Buffer.from(stats.isSymbolicLink() ? readlinkSync(`${root}/${path}`) : '')
    pieces.push(member(path === '' ? '.' : path, stats.mode, inode++, data))
    if (stats.isDirectory())
      for (const name of readdirSync(`${root}/${path}`).sort()) visit(path === '' ? name : `${path}/${name}`)
  }
  visit('')
  pieces.push(member('TRAILER!!!', 0, 0, Buffer.alloc(0)))
  return Buffer.concat(pieces)
}

function member(name: string, mode: number, inode: number, data: Buffer): Buffer {
  const hex = (value: number) => value.toString(16).padStart(8, '0')
  const numbers = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0]
  const head = Buffer.from(`070701${numbers.map(hex).join('')}${name}\0`)
  return Buffer.concat([padded(head), padded(data)])
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
}
