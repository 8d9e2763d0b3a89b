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

/** A host's built image in `out/HOST`. */
export interface SourceImage {
  readonly file: string
  readonly ranges: readonly MappedRange[]
  readonly manifest: Manifest
}

export function openSourceImage(host: DiskHost, output: string): SourceImage {
  const file = join(output, `${host.name}.img`)
  const [map, manifestFile] = [`${file}.bmap`, join(output, 'manifest.json')]
  for (const needed of [file, map, manifestFile]) {
    if (!existsSync(needed)) throw rebuild(host, `cannot flash '${host.name}': '${needed}' does not exist`)
  }
  const manifest = parseManifest(readFileSync(manifestFile, 'utf8'), manifestFile)
  if (manifest.host !== host.name)
    throw rebuild(host, `'${manifestFile}' is for host '${manifest.host}', wanted '${host.name}'`)
  const { imageSize, ranges } = parseBmap(readFileSync(map, 'utf8'), map)
  if (imageSize !== diskLayout(host.slotSize).size)
    throw rebuild(host, `the slots of '${file}' do not have the size that hosts/${host.name}.ts states`)
  return { file, ranges, manifest }
}

function rebuild({ name }: DiskHost, message: string): UserError {
  return new UserError('usage', message, { hint: `build the image: npm run build:image ${name}` })
}

/**
 * Reads the ranges of the block map and verifies their digests. Cuts them at the given offsets into pieces with
 * digests.
 */
export async function cutImage(source: SourceImage, cuts: readonly number[]): Promise<MappedRange[]> {
  const handle = await open(source.file)
  try {
    const pieces: MappedRange[] = []
    for (const range of source.ranges) pieces.push(...(await cutRange(handle, source, range, cuts)))
    return pieces
  } finally {
    await handle.close()
  }
}

async function cutRange(
  handle: FileHandle,
  { file, manifest }: SourceImage,
  range: MappedRange,
  cuts: readonly number[],
) {
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
  throw new UserError('digest', `'${file}' differs from its block map in the range from byte ${range.offset}`, {
    hint: `build the image again: npm run build:image ${manifest.host}`,
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

/** Reads a range of a file in pieces. The result is shorter if the file ends before the range does. */
export async function* readRange(handle: FileHandle, offset: number, size: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < size; ) {
    const bytes = Buffer.allocUnsafe(Math.min(PIECE, size - done))
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset + done)
    if (bytesRead === 0) return
    yield bytes.subarray(0, bytesRead)
    done += bytesRead
  }
}
