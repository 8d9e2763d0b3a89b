import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { UserError } from '../../../../errors.ts'
import { fullDiskLine } from '../../../../lib/full-disk.ts'
import { run } from '../../../../lib/subprocess.ts'
import { fullOnStore } from '../../../store/full.ts'
import type { Store } from '../../../store/store.ts'

/** The endings of index files, in order of preference. Node can decompress gzip itself, and every Debian has xz. */
export const COMPRESSIONS = ['.gz', '.xz', ''] as const
export type Compression = (typeof COMPRESSIONS)[number]

export async function decompress(bytes: Uint8Array, compression: Compression, store: Store): Promise<Uint8Array> {
  if (compression === '.gz') return promisify(gunzip)(bytes)
  return compression === '.xz' ? unxz(bytes, store) : bytes
}

/** Decompresses xz with dpkg-deb. Node 20 cannot read xz, and the program `xz` is in no Essential package of Debian. */
async function unxz(bytes: Uint8Array, store: Store): Promise<Uint8Array> {
  return store.scratch('unxz', async (directory) => {
    const [packed, plain] = [join(directory, 'packed.deb'), join(directory, 'plain')]
    await writeFile(packed, debianPackage(bytes))
    const { exitCode, output } = await run('sh', ['-c', 'dpkg-deb --fsys-tarfile "$1" > "$2"', 'unxz', packed, plain], {
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
    })
    if (exitCode === 0) return readFile(plain)
    const full = fullDiskLine(output) === undefined ? undefined : fullOnStore(store.root)
    const reason = full?.what ?? output.trim().split('\n').at(-1) ?? ''
    throw new UserError('fetch', `cannot unpack an index with dpkg-deb: ${reason}`, {
      hint: full?.remedy ?? 'hangar needs dpkg-deb (package dpkg) on this machine',
    })
  })
}

/** Writes a Debian package (deb(5)) with the bytes as its data archive. */
function debianPackage(data: Uint8Array): Buffer {
  const none = Buffer.alloc(0)
  const members = [
    member('debian-binary', Buffer.from('2.0\n')),
    member('control.tar', none),
    member('data.tar.xz', data),
  ]
  return Buffer.concat([Buffer.from('!<arch>\n'), ...members])
}

function member(name: string, data: Uint8Array): Buffer {
  const columns: [string, number][] = [
    [name, 16],
    ['0', 12],
    ['0', 6],
    ['0', 6],
    ['100644', 8],
    [String(data.length), 10],
  ]
  const header = `${columns.map(([text, width]) => text.padEnd(width)).join('')}\`\n`
  return Buffer.concat([Buffer.from(header), data, Buffer.from(data.length % 2 === 0 ? '' : '\n')])
}
