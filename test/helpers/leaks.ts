import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'

/** A form of a secret, and the name of the secret. */
export interface Needle {
  readonly name: string
  readonly bytes: Buffer
}

/** The forms in which a secret may leak: as it is, escaped in JSON, in base64 at every alignment, and in hexadecimal. */
export function needlesOf(name: string, secret: string | Buffer): Needle[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const forms = [
    bytes,
    Buffer.from(JSON.stringify(bytes.toString()).slice(1, -1)),
    Buffer.from(hex),
    Buffer.from(hex.toUpperCase()),
    ...[0, 1, 2].map((before) => Buffer.from(base64Within(bytes, before))),
  ]
  return [...new Map(forms.map((each) => [each.toString('latin1'), { name, bytes: each }])).values()]
}

/** The letters of base64 that depend only on the secret when `before` bytes come before it. */
function base64Within(bytes: Buffer, before: number): string {
  const all = Buffer.concat([Buffer.alloc(before), bytes])
    .toString('base64')
    .replace(/=+$/, '')
  return all.slice([0, 2, 3][before], all.length - 1)
}

/** The names of the secrets that are in a text. */
export function leaksInText(text: string, needles: readonly Needle[]): string[] {
  return found(Buffer.from(text), needles)
}

const PIECE = 2 ** 18
const ZEROS = Buffer.alloc(PIECE)

/** `PATH: NAME` for every secret in a file of a directory, also in the names of the files. Reads every byte. */
export function leaksBelow(directory: string, needles: readonly Needle[]): { leaks: string[]; files: number } {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const names = leaksInText(entries.map((each) => join(each.parentPath, each.name)).join('\n'), needles)
  const files = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name))
  const leaks = files.flatMap((file) => leaksInFile(file, needles).map((name) => `${file}: ${name}`))
  return { leaks: [...names, ...leaks], files: files.length }
}

function leaksInFile(path: string, needles: readonly Needle[]): string[] {
  const longest = Math.max(...needles.map(({ bytes }) => bytes.length))
  const names = new Set<string>()
  const buffer = Buffer.alloc(PIECE)
  const file = openSync(path, 'r')
  try {
    let tail = Buffer.alloc(0)
    for (let at = 0, count = -1; count !== 0; at += count) {
      count = readSync(file, buffer, 0, PIECE, at)
      const piece = buffer.subarray(0, count)
      // Disk images are mostly holes.
      if (piece.equals(ZEROS.subarray(0, count))) {
        tail = Buffer.alloc(0)
        continue
      }
      const seen = Buffer.concat([tail, piece])
      for (const name of found(seen, needles)) names.add(name)
      tail = Buffer.from(seen.subarray(Math.max(0, seen.length - longest)))
    }
  } finally {
    closeSync(file)
  }
  return [...names]
}

function found(bytes: Buffer, needles: readonly Needle[]): string[] {
  return [...new Set(needles.filter((needle) => bytes.includes(needle.bytes)).map(({ name }) => name))]
}
