import { existsSync, readFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { type Digest, Digester } from '../../images/digest.ts'
import { type MappedRange, parseBmap } from '../../images/disk/bmap.ts'
import { diskLayout } from '../../images/layout.ts'
import { type Manifest, parseManifest } from '../../images/manifest.ts'
import { PIECE } from './part.ts'
import type { DiskHost } from './target.ts'

/** A built image of a host, as it lies in `out/HOST`. */
export interface SourceImage {
  readonly file: string
  readonly ranges: readonly MappedRange[]
  readonly manifest: Manifest
}

export function openSourceImage(host: DiskHost, output: string): SourceImage {
  const file = join(output, `${host.name}.img`)
  const [map, manifestFile] = [`${file}.bmap`, join(output, 'manifest.json')]
  for (const needed of [file, map, manifestFile]) {
    if (!existsSync(needed)) throw rebuild(host, `no image to flash: '${needed}' is not there`)
  }
  const manifest = parseManifest(readFileSync(manifestFile, 'utf8'), manifestFile)
  if (manifest.host !== host.name) throw rebuild(host, `'${manifestFile}' is of '${manifest.host}', not '${host.name}'`)
  const { imageSize, ranges } = parseBmap(readFileSync(map, 'utf8'), map)
  if (imageSize !== diskLayout(host.slotSize).size)
    throw rebuild(host, `'${file}' was built for another size of slots than hosts/${host.name}.ts says`)
  return { file, ranges, manifest }
}

function rebuild({ name }: DiskHost, message: string): UserError {
  return new UserError('usage', message, { hint: `npm run build:image ${name}` })
}

/**
 * Reads all that the map names, which has to be what the map says, and cuts it at the given offsets: each piece of it
 * with its own digest.
 */
export async function cutImage({ file, ranges }: SourceImage, cuts: readonly number[]): Promise<MappedRange[]> {
  const handle = await open(file)
  try {
    const pieces: MappedRange[] = []
    for (const range of ranges) pieces.push(...(await cutRange(handle, file, range, cuts)))
    return pieces
  } finally {
    await handle.close()
  }
}

async function cutRange(handle: FileHandle, file: string, range: MappedRange, cuts: readonly number[]) {
  const end = range.offset + range.size
  const inside = cuts.filter((cut) => cut > range.offset && cut < end)
  const edges = [...new Set([range.offset, ...inside, end])].sort((a, b) => a - b)
  const whole = new Digester()
  const pieces: MappedRange[] = []
  for (const [index, offset] of edges.slice(0, -1).entries()) {
    const size = (edges[index + 1] ?? end) - offset
    pieces.push({ offset, size, digest: await digestRange(handle, offset, size, whole) })
  }
  if (whole.digest() === range.digest) return pieces
  throw new UserError('digest', `'${file}' is not what its map says, from byte ${range.offset} on`, {
    hint: 'build it again: npm run build:image HOST',
  })
}

async function digestRange(handle: FileHandle, offset: number, size: number, whole: Digester): Promise<Digest> {
  const own = new Digester()
  for await (const bytes of readRange(handle, offset, size)) {
    own.update(bytes)
    whole.update(bytes)
  }
  return own.digest()
}

/** A file's bytes in pieces; fewer than asked for where it ends. */
export async function* readRange(handle: FileHandle, offset: number, size: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < size; ) {
    const bytes = Buffer.allocUnsafe(Math.min(PIECE, size - done))
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset + done)
    if (bytesRead === 0) return
    yield bytes.subarray(0, bytesRead)
    done += bytesRead
  }
}
