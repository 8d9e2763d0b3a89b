/** A file of a package. */
export interface PackageFile {
  /** The path in the package: `lib/index.js`. */
  readonly path: string
  readonly executable: boolean
  readonly bytes: Uint8Array
}

/** The error for a tarball that hangar does not unpack. The message completes a sentence that begins with the package. */
export class TarballError extends Error {
  override readonly name = 'TarballError'
}

/**
 * Reads the files of an unpacked `.tgz`. Like npm, leaves out links and the first component of each path. Throws
 * TarballError for paths that leave the package and for a path that occurs twice.
 */
export function packageFiles(tar: Uint8Array): PackageFile[] {
  const files = new Map<string, PackageFile>()
  for (const { type, name, mode, bytes } of entriesOf(Buffer.from(tar.buffer, tar.byteOffset, tar.byteLength))) {
    if (!isKnown(type)) throw new TarballError(`contains '${name}', which is neither a file nor a directory`)
    const path = pathIn(name)
    if (!FILE.includes(type) || path === '') continue
    if (files.has(path)) throw new TarballError(`contains '${path}' twice`)
    files.set(path, { path, executable: (mode & 0o111) !== 0, bytes })
  }
  refuseFilesAsDirectories(files)
  if (!files.has('package.json')) throw new TarballError("contains no 'package.json'")
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

const FILE = ['0', '\0', '7']
const LINK = ['1', '2']
const DIRECTORY = '5'

function isKnown(type: string): boolean {
  return [...FILE, ...LINK, DIRECTORY].includes(type)
}

/** The limit of Linux for one component of a path, in bytes. */
const LONGEST = 255

/** The path without its first component, which differs between packages. Throws TarballError for an unsafe path. */
function pathIn(name: string): string {
  const refuse = (why: string) => new TarballError(`contains '${JSON.stringify(name).slice(1, -1)}', ${why}`)
  if (name.startsWith('/')) throw refuse('an absolute path')
  if (/[\0-\x1f\x7f\ufffd]/.test(name)) throw refuse('a path with a control character or invalid UTF-8')
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw refuse("a path with '..'")
  if (parts.some((part) => Buffer.byteLength(part) > LONGEST)) throw refuse(`a name of more than ${LONGEST} bytes`)
  return parts.slice(1).join('/')
}

function refuseFilesAsDirectories(files: ReadonlyMap<string, PackageFile>): void {
  for (const path of files.keys()) {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const above = path.slice(0, slash)
      if (files.has(above)) throw new TarballError(`contains '${above}' both as a file and as a directory`)
    }
  }
}

interface Entry {
  readonly type: string
  readonly name: string
  readonly mode: number
  readonly bytes: Uint8Array
}

const BLOCK = 512

/** The entries of a tar archive in the formats that npm reads: v7, ustar, pax, and long names of GNU. */
function* entriesOf(tar: Buffer): Generator<Entry> {
  let next: Extended = {}
  for (let at = 0; at < tar.length; ) {
    const head = tar.subarray(at, at + BLOCK)
    if (head.length < BLOCK) throw new TarballError('ends in the middle of an entry')
    if (head.every((byte) => byte === 0)) return
    const { type, name, mode, size: inHeader } = header(head)
    const size = next.size ?? inHeader
    const end = at + BLOCK + size
    if (end > tar.length) throw new TarballError('ends in the middle of an entry')
    const bytes = tar.subarray(at + BLOCK, end)
    at = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK
    if (type === 'x') next = { ...next, ...paxFields(bytes) }
    else if (type === 'L') next = { ...next, path: textOf(bytes) }
    else if (type !== 'g' && type !== 'K') {
      yield { type, name: next.path ?? name, mode, bytes }
      next = {}
    }
  }
}

function header(head: Buffer) {
  const text = (from: number, length: number) => textOf(head.subarray(from, from + length))
  const number = (from: number, length: number) => {
    const digits = text(from, length).trim()
    if (/^[0-7]*$/.test(digits)) return Number.parseInt(digits || '0', 8)
    throw new TarballError('has a header with an invalid number')
  }
  const sum = head.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  if (sum !== number(148, 8)) throw new TarballError('has a header with a wrong checksum')
  const prefix = text(257, 5) === 'ustar' ? text(345, 155) : ''
  const name = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`
  return { type: String.fromCharCode(head[156] ?? 0), name, mode: number(100, 8), size: number(124, 12) }
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end)
}

/** Fields of the next entry, from the headers before it. */
interface Extended {
  readonly path?: string
  readonly size?: number
}

/** Reads a pax header: records of the form `LENGTH KEY=VALUE\n`. */
function paxFields(bytes: Buffer): Extended {
  let fields: Extended = {}
  for (let at = 0; at < bytes.length; ) {
    const [whole = '', digits = ''] = /^(\d{1,9}) /.exec(bytes.toString('latin1', at, at + 10)) ?? []
    const end = at + Number(digits)
    if (whole === '' || end <= at + whole.length || end > bytes.length)
      throw new TarballError('has an invalid pax header')
    const record = bytes.toString('utf8', at + whole.length, end - 1)
    const equals = record.indexOf('=')
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)]
    if (key === 'path') fields = { ...fields, path: value }
    if (key === 'size') fields = { ...fields, size: sizeIn(value) }
    if (key.startsWith('GNU.sparse')) throw new TarballError('contains a sparse file')
    at = end
  }
  return fields
}

function sizeIn(value: string): number {
  if (/^\d{1,12}$/.test(value)) return Number(value)
  throw new TarballError('has an invalid pax header')
}
