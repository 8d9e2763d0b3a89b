import { existsSync } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../../errors.ts'
import { digestOf } from '../../../images/digest.ts'
import { BLOCK } from '../../../images/layout.ts'
import { type Manifest, parseManifest } from '../../../images/manifest.ts'
import { treeSize } from '../../../images/slot/verity.ts'
import { piecesOf } from '../../transfer/stream.ts'

/** A built image as an update needs it, with its two large files open. */
export interface Artifact {
  readonly manifest: Manifest
  readonly manifestBytes: Uint8Array
  readonly manifestDigest: string
  /** Empty for an unsigned image. */
  readonly signature: Uint8Array
  readonly slot: FileHandle
  readonly boot: FileHandle
  /** Bytes of the boot file system. */
  readonly bootSize: number
  /** Whether a build has written to its files since they were opened: it changes them in place. */
  changed(): Promise<boolean>
}

/** Opens what the build left in `out/HOST` for as long as `use` takes. */
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
      await requireWhole(host, directory, artifact)
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

/** The slot's hash tree, as it lies at its end. */
export function slotTree({ manifest, slot }: Artifact): AsyncGenerator<Uint8Array> {
  const start = manifest.slot.dataBlocks * BLOCK
  return piecesOf(slot, start, manifest.slot.size - start)
}

/** What makes the boot file system bootable; it is sent last. */
export async function firstBootBlock({ boot }: Artifact): Promise<Uint8Array> {
  const block = Buffer.alloc(BLOCK)
  const { bytesRead } = await boot.read(block, 0, BLOCK, 0)
  if (bytesRead !== BLOCK) throw new Error(`boot.img has ${bytesRead} bytes, wanted at least ${BLOCK}`)
  return block
}

function requireFile(host: string, path: string): void {
  if (existsSync(path)) return
  throw new UserError('update', `no image to send: '${path}' is not there`, { hint: `npm run build:image ${host}` })
}

/** The files of two builds, or of one that was broken off, do not go together: seen before anything is sent. */
async function requireWhole(host: string, directory: string, { manifest, slot, bootSize }: Artifact): Promise<void> {
  const { dataBlocks, size, root } = manifest.slot
  const top = Buffer.alloc(BLOCK)
  await slot.read(top, 0, BLOCK, dataBlocks * BLOCK)
  const isWhole =
    (await slot.stat()).size === size && size === dataBlocks * BLOCK + treeSize(dataBlocks) && digestOf(top) === root
  if (isWhole && bootSize > 0 && bootSize % BLOCK === 0) return
  throw new UserError(
    'update',
    `the files in '${directory}' do not go together: slot.img is not what the manifest names`,
    {
      hint: `build the image again: npm run build:image ${host}`,
    },
  )
}
