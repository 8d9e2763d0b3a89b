import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, digestOf } from '../../images/digest.ts'
import { BLOCK } from '../../images/layout.ts'
import { type Manifest, manifestText } from '../../images/manifest.ts'
import { formatPublicKey, keyFromSeed } from '../../images/signature/openssh-key.ts'
import { signText } from '../../images/signature/sshsig.ts'
import { hashTree, leavesOf } from '../../images/slot/verity.ts'

/** The key that signs the images of the tests. */
export const SIGNING_KEY = keyFromSeed(Buffer.alloc(32, 7), 'test signing')
export const SIGNING_LINE = formatPublicKey(SIGNING_KEY)

export interface UpdateImageOptions {
  /** Images with different names differ in every block that is not empty. */
  readonly name: string
  readonly dataBlocks?: number
  readonly bootBlocks?: number
  readonly manifest?: Partial<Manifest>
}

export interface UpdateImage {
  readonly manifest: Manifest
  readonly slot: Buffer
  readonly boot: Buffer
  readonly bootRoot: Digest
}

/** Returns a small, complete and signed image of Adama. Its blocks are noise, and each third boot block is empty. */
export function updateImage({
  name,
  dataBlocks = 300,
  bootBlocks = 40,
  manifest: other = {},
}: UpdateImageOptions): UpdateImage {
  const data = noise(`${name} slot`, dataBlocks, () => true)
  const boot = noise(`${name} boot`, bootBlocks, (block) => block % 3 !== 2)
  const tree = hashTree(leavesOf(data))
  const slot = Buffer.concat([data, tree.bytes])
  const manifest: Manifest = {
    ...{ format: 1, host: 'adama', board: 'raspberry-pi-5', layout: 1, serial: { time: 1_795_000_000, number: 1 } },
    ...{ signature: 'signed', keys: { signing: [SIGNING_LINE], ssh: [] }, boot: {}, versions: {} },
    slot: { size: slot.length, sha256: digestOf(slot), dataBlocks, root: tree.root, layers: [] },
    ...other,
  }
  return { manifest, slot, boot, bootRoot: hashTree(leavesOf(boot)).root }
}

/** Writes the output files of a build. */
export async function writeUpdateImage(directory: string, { manifest, slot, boot }: UpdateImage): Promise<void> {
  await mkdir(directory, { recursive: true })
  const text = manifestText(manifest)
  await writeFile(join(directory, 'manifest.json'), text)
  if (manifest.signature === 'signed')
    await writeFile(join(directory, 'manifest.json.sig'), signText(text, SIGNING_KEY))
  await writeFile(join(directory, 'slot.img'), slot)
  await writeFile(join(directory, 'boot.img'), boot)
}

function noise(seed: string, blocks: number, isFull: (block: number) => boolean): Buffer {
  const bytes = Buffer.alloc(blocks * BLOCK)
  for (let block = 0; block < blocks; block++) {
    if (isFull(block)) {
      const digest = createHash('sha256').update(`${seed} ${block}`).digest()
      for (let at = 0; at < BLOCK; at += digest.length) bytes.set(digest, block * BLOCK + at)
    }
  }
  return bytes
}
