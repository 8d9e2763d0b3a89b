import { digestOf } from '../../../images/digest.ts'
import type { Image } from '../../../images/image.ts'
import { type Manifest, manifestText } from '../../../images/manifest.ts'
import type { SummedFile } from '../../outputs/outputs.ts'
import type { RealisedImage } from '../platform.ts'
import type { PlannedSlot } from './slot.ts'

type Described = Pick<
  RealisedImage<Image>,
  'host' | 'board' | 'serial' | 'signing' | 'sshKeys' | 'signingKeys' | 'versions' | 'bootFiles'
>

/** The manifest of an image, and its canonical text, which hangar signs. */
export function describeImage(
  { host, board, serial, signing, sshKeys, signingKeys, versions, bootFiles }: Described,
  slot: PlannedSlot,
  { sha256 }: SummedFile,
  cmdline: string,
): { readonly manifest: Manifest; readonly text: string } {
  const files = Object.entries(bootFiles).map(([name, { size, digest }]) => [name, { size, sha256: digest }] as const)
  const { size, dataBlocks, root, layers } = slot
  const manifest: Manifest = {
    format: 1,
    host,
    board: board.name,
    layout: 1,
    serial,
    signature: signing.kind,
    keys: { signing: [...signingKeys], ssh: [...sshKeys] },
    slot: { size, sha256, dataBlocks, root, layers: [...layers] },
    boot: {
      ...Object.fromEntries(files),
      'cmdline.txt': { size: Buffer.byteLength(cmdline), sha256: digestOf(cmdline) },
    },
    versions,
  }
  return { manifest, text: manifestText(manifest) }
}
