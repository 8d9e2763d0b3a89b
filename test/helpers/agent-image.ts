import { digestOf } from '../../images/digest.ts'
import { planFat } from '../../images/disk/fat-write.ts'
import { BLOCK, MIB } from '../../images/layout.ts'
import { type Manifest, manifestText } from '../../images/manifest.ts'
import { keyFromSeed } from '../../images/signature/openssh-key.ts'
import { signText } from '../../images/signature/sshsig.ts'
import { hashTree, leavesOf } from '../../images/slot/verity.ts'
import { SIGNING_KEY, updateImage } from './update-image.ts'

/** Size of a boot partition in bytes. */
export const BOOT_SIZE = 3 * MIB

/** A complete generation with a readable boot file system, split into the parts that a controller sends. */
export interface AgentImage {
  readonly manifest: Manifest
  readonly text: string
  readonly signature: string
  readonly slot: Buffer
  /** The slot's data blocks, and below them its hash tree. */
  readonly data: Buffer
  readonly tree: Buffer
  readonly boot: Buffer
  readonly bootTree: Buffer
  readonly bootRoot: string
  readonly root: string
  /** The boot file system up to its first file, and the position of each file. */
  readonly fat: { readonly head: Uint8Array; readonly table: string }
}

export interface AgentImageOptions {
  readonly manifest?: Partial<Manifest>
  /** A different command line makes a different generation with the same slot. */
  readonly commandLine?: string
  readonly key?: typeof SIGNING_KEY
  readonly seed?: string
}

/** A signing key that no host trusts. */
export const STRANGER = keyFromSeed(Buffer.alloc(32, 9), 'a stranger')

export function agentImage(name: string, options: AgentImageOptions = {}): AgentImage {
  const { manifest: other = {}, commandLine = 'quiet', key = SIGNING_KEY, seed = name } = options
  const { manifest: given, slot } = updateImage({ name: seed, dataBlocks: 40, bootBlocks: 1 })
  const root: string = given.slot.root
  const files: Record<string, Buffer> = {
    'config.txt': Buffer.from('arm_64bit=1\n'),
    'cmdline.txt': Buffer.from(`${commandLine} hangar.root=${root} hangar.blocks=40\n`),
    'kernel8.img': Buffer.alloc(9000, `kernel of ${name} `),
  }
  const boot = Object.fromEntries(
    Object.entries(files).map(([file, bytes]) => [file, { size: bytes.length, sha256: digestOf(bytes) }]),
  )
  const manifest = { ...given, boot, ...other }
  const text = manifestText(manifest)
  const signature = signText(text, key)
  const volume = bootVolume({
    ...files,
    'manifest.json': Buffer.from(text),
    'manifest.json.sig': Buffer.from(signature),
  })
  const tree = hashTree(leavesOf(volume.bytes))
  const data = slot.subarray(0, 40 * BLOCK)
  return {
    ...{ manifest, text, signature, slot, data, tree: slot.subarray(data.length), root },
    ...{ boot: volume.bytes, bootTree: Buffer.from(tree.bytes), bootRoot: tree.root, fat: volume },
  }
}

function bootVolume(files: Readonly<Record<string, Buffer>>) {
  const listed = Object.entries(files).map(([name, { length }]) => ({ name, size: length }))
  const plan = planFat('fat16', 'boot', listed, BOOT_SIZE)
  const bytes = Buffer.alloc(plan.size)
  bytes.set(plan.head)
  for (const { name, offset } of plan.files) bytes.set(files[name] ?? [], offset)
  const table = plan.files.map(({ name, offset, size }) => `${name} ${offset / BLOCK} ${size}\n`).join('')
  return { bytes, head: plan.head, table }
}

/** Returns the records of docs/agent-protocol.md for a range of blocks, in one piece and uncompressed. */
export function recordsOf(bytes: Uint8Array, first = 0, count = bytes.length / BLOCK - first): Buffer {
  const header = (at: number, blocks: number) => {
    const head = Buffer.from('HGB1--------')
    head.writeUInt32BE(at, 4)
    head.writeUInt32BE(blocks, 8)
    return head
  }
  const blocks = bytes.subarray(first * BLOCK, (first + count) * BLOCK)
  return Buffer.concat([...(count > 0 ? [header(first, count), blocks] : []), header(0xffffffff, 0)])
}
