import { readFileSync } from 'node:fs'
import { BOARDS } from '../../../images/board.ts'
import { formatBmap } from '../../../images/disk/bmap.ts'
import type { Image } from '../../../images/image.ts'
import { diskLayout } from '../../../images/layout.ts'
import { parseManifest } from '../../../images/manifest.ts'
import { SBOM_FILE, sbomBytes } from '../../../images/sbom/document.ts'
import { signText } from '../../../images/signature/sshsig.ts'
import { type OutputFile, type SummedFile, summed, textFile } from '../../outputs/outputs.ts'
import type { Assembly, BootFile, Platform, RealisedImage, RecordedImage, SignedFacts } from '../platform.ts'
import { planBoot } from './boot.ts'
import { planDisk } from './disk.ts'
import { describeImage } from './manifest.ts'
import { type PlannedSlot, planSlot } from './slot.ts'

const [SLOT, BOOT] = ['slot.img', 'boot.img']

/** A Raspberry Pi with two slots under dm-verity: `slot.img`, `boot.img` and a disk image that boots slot a. */
export const pi: Platform<Image> = {
  name: 'pi',
  assemble,
  reassemble,
  readManifest,
  isPublic: (board) => Object.values(BOARDS).find(({ name }) => name === board)?.readers === 'anyone',
  images: (host) => ({ disk: diskOf(host), slot: SLOT, boot: BOOT, others: [`${diskOf(host)}.bmap`] }),
  // The root hash differs in every build and would hide what else changed.
  comparedFiles: {
    'config.txt': (text) => text,
    'cmdline.txt': (text) => text.replace(/ hangar\.(root|blocks)=\S+/g, ''),
  },
}

function assemble(image: RealisedImage<Image>): Assembly {
  const { signing, state } = image
  const slot = planSlot(image.layers, image.slotSize)
  const slotFile = summed(state[SLOT], slot.size, slot.segments)
  const cmdline = commandLine(image.kernelArguments, slot)
  const { manifest, text } = describeImage(image, slot, slotFile, cmdline)
  const signature = signing.kind === 'signed' ? { 'manifest.json.sig': signText(text, signing.key) } : {}
  const signed = { 'manifest.json': text, ...signature }
  const boot: Record<string, BootFile> = { ...image.bootFiles, 'cmdline.txt': { text: cmdline } }
  for (const [name, each] of Object.entries(signed)) boot[name] = { text: each }
  const rest = { bytes: readFileSync(image.sbom.file), digest: image.sbom.digest }
  const texts = { ...signed, [SBOM_FILE]: sbomBytes(manifest, rest) }
  return aroundSlot({ ...image, boot, texts }, slot, slotFile)
}

function reassemble(image: RecordedImage): Assembly {
  const slot = planSlot(image.layers, image.slotSize)
  return aroundSlot(image, slot, summed(image.state[SLOT], slot.size, slot.segments))
}

function commandLine(kernelArguments: readonly string[], { root, dataBlocks }: PlannedSlot): string {
  return `${[...kernelArguments, `hangar.root=${root}`, `hangar.blocks=${dataBlocks}`].join(' ')}\n`
}

type Surrounding = Pick<RealisedImage, 'host' | 'slotSize' | 'state'> & Pick<Assembly, 'boot' | 'texts'>

/** The boot image, the disk image and its block map for a planned slot. */
function aroundSlot({ host, slotSize, state, boot, texts }: Surrounding, slot: PlannedSlot, slotFile: SummedFile) {
  const plannedBoot = planBoot(host, boot, state[BOOT])
  const layout = diskLayout(slotSize)
  const disk = planDisk(layout, host, plannedBoot, slot)
  const files: Record<string, OutputFile> = {
    [BOOT]: summed(state[BOOT], plannedBoot.size, plannedBoot.segments),
    [SLOT]: slotFile,
    [diskOf(host)]: { size: layout.size, segments: disk, sha256: undefined },
    ...Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, textFile(text)])),
    [`${diskOf(host)}.bmap`]: textFile(formatBmap(layout.size, disk)),
  }
  return { root: slot.root, size: slot.size, boot, texts, files }
}

function diskOf(host: string): string {
  return `${host}.img`
}

function readManifest(text: string, where: string): SignedFacts {
  const { host, board, signature, slot, boot } = parseManifest(text, where)
  return {
    ...{ host, board, signature, root: slot.root, size: slot.size },
    layers: slot.layers.map(({ name, size, sha256 }) => ({ name, size, digest: sha256 })),
    bootTexts: ['manifest.json', 'manifest.json.sig'],
    bootFiles: Object.entries(boot).map(([name, { size, sha256 }]) => ({ name, size, digest: sha256 })),
    outputs: { [SLOT]: slot.sha256 },
  }
}
