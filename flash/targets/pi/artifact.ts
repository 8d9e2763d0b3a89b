import { existsSync } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../../errors.ts'
import { digestOf } from '../../../images/digest.ts'
import { BLOCK } from '../../../images/layout.ts'
import { type Manifest, parseManifest } from '../../../images/manifest.ts'
import { treeSize } from '../../../images/slot/verity.ts'
import { piecesOf } from '../../transfer/stream.ts'

/** A built image whose two large files are open. */
export interface Artifact {
  readonly manifest: Manifest
  readonly manifestBytes: Uint8Array
  readonly manifestDigest: string
  /** The signature of the manifest; empty for an unsigned image. */
  readonly signature: Uint8Array
  readonly slot: FileHandle
  readonly boot: FileHandle
  /** The size of the boot file system, in bytes. */
  readonly bootSize: number
  /** Whether a build has changed the open files: builds change these files in place. */
  changed(): Promise<boolean>
}

/** Opens the image of `host` in `directory` (`out/HOST`) for as long as `use` takes. */
export async function withArtifact<T>(host: string, directory: string, use: (artifact: Artifact) => Promise<T>) {
  const path = (name: string) => join(directory, name)
  for (const name of ['manifest.json', 'slot.img', 'boot.img']) requireFile(host, path(name))
  const manifestBytes = await readFile(path('manifest.json'))
  const manifest = parseManifest(manifestBytes.toString(), path('manifest.json'))
  const signatureFile = path('manifest.json.sig')
  const signature = existsSync(signatureFile) ? await readFile(signatureFile) : Buffer.alloc(0)
  const slot = await open(path('slot.img'))
  try {
    const boot = await open(path('boot.img'))
    try {
      const files = [slot, boot]
      const opened = await timesOf(files)
      const changed = async () => (await timesOf(files)).some((time, index) => time !== opened[index])
      const { size: bootSize } = await boot.stat()
      const manifestDigest = digestOf(manifestBytes)
      const artifact = { manifest, manifestBytes, manifestDigest, signature, slot, boot, bootSize, changed }
      await requireConsistent(host, directory, artifact)
      requireOwnImage(host, directory, artifact)
      return await use(artifact)
    } finally {
      await boot.close()
    }
  } finally {
    await slot.close()
  }
}

async function timesOf(files: readonly FileHandle[]): Promise<bigint[]> {
  const found = await Promise.all(files.map((file) => file.stat({ bigint: true })))
  return found.map(({ mtimeNs }) => mtimeNs)
}

/** The hash tree of the slot, which is stored after the slot's data. */
export function slotTree({ manifest, slot }: Artifact): AsyncGenerator<Uint8Array> {
  const start = manifest.slot.dataBlocks * BLOCK
  return piecesOf(slot, start, manifest.slot.size - start)
}

/**
 * The first block of the boot file system. hangar sends it last, because without this block the firmware cannot boot
 * the slot.
 */
export async function firstBootBlock({ boot }: Artifact): Promise<Uint8Array> {
  const block = Buffer.alloc(BLOCK)
  const { bytesRead } = await boot.read(block, 0, BLOCK, 0)
  if (bytesRead !== BLOCK) throw new Error(`boot.img has ${bytesRead} bytes, wanted at least ${BLOCK}`)
  return block
}

function requireFile(host: string, path: string): void {
  if (existsSync(path)) return
  throw new UserError('update', `cannot flash '${host}': '${path}' does not exist`, {
    hint: `build the image: npm run build:image ${host}`,
  })
}

function requireOwnImage(host: string, directory: string, { manifest }: Artifact): void {
  if (manifest.host === host) return
  throw new UserError('update', `'${directory}' holds an image of '${manifest.host}', wanted an image of '${host}'`, {
    hint: `build the image: npm run build:image ${host}`,
  })
}

/** Refuses files of two different builds, or of an interrupted build, before hangar sends anything. */
async function requireConsistent(host: string, directory: string, { manifest, slot, bootSize }: Artifact) {
  const { dataBlocks, size, root } = manifest.slot
  const top = Buffer.alloc(BLOCK)
  await slot.read(top, 0, BLOCK, dataBlocks * BLOCK)
  const isComplete =
    (await slot.stat()).size === size && size === dataBlocks * BLOCK + treeSize(dataBlocks) && digestOf(top) === root
  if (isComplete && bootSize > 0 && bootSize % BLOCK === 0) return
  throw new UserError(
    'update',
    `the files in '${directory}' are from different builds: slot.img differs from the manifest`,
    {
      hint: `build the image again: npm run build:image ${host}`,
    },
  )
}
