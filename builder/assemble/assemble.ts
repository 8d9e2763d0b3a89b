import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Board } from '../../images/board.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import { formatBmap } from '../../images/disk/bmap.ts'
import { diskLayout } from '../../images/layout.ts'
import { type Manifest, manifestText } from '../../images/manifest.ts'
import { signText } from '../../images/signature/sshsig.ts'
import type { OwnerKeys } from '../keys/owner-keys.ts'
import { type BootFile, planBoot } from './boot.ts'
import { planDisk } from './disk.ts'
import { bytesSegment, type Segment } from './segment.ts'
import { type PlannedSlot, planSlot, type RealisedLayer } from './slot.ts'
import { type FileState, fileState, forgetState, holds, readState, writeState } from './state.ts'
import { digestSegments, writeSegments } from './write.ts'

export interface AssembleRequest {
  readonly host: string
  readonly board: Board
  readonly slotSize: number
  readonly serial: { readonly time: number; readonly number: number }
  readonly layers: readonly RealisedLayer[]
  readonly bootFiles: Readonly<
    Record<string, { readonly file: string; readonly size: number; readonly digest: Digest }>
  >
  readonly kernelArguments: readonly string[]
  readonly versions: Readonly<Record<string, string>>
  readonly keys: OwnerKeys
  /** Directory of the results; made where it is missing. */
  readonly output: string
}

export interface Assembled {
  readonly root: Digest
  readonly slotSize: number
  readonly outputs: 'written' | 'patched' | 'unchanged'
}

/** Puts layers and boot files together into a host's output directory, and signs them. */
export async function assemble(request: AssembleRequest): Promise<Assembled> {
  const slot = planSlot(request.layers, request.slotSize)
  const cmdline = `${[...request.kernelArguments, `hangar.root=${slot.root}`, `hangar.blocks=${slot.dataBlocks}`].join(' ')}\n`
  const manifest = manifestText(manifestOf(request, slot, cmdline))
  const { signing } = request.keys
  const signature = signing.kind === 'signed' ? { 'manifest.json.sig': signText(manifest, signing.key) } : {}
  const texts = { 'manifest.json': manifest, ...signature }
  const boot = planBoot(request.host, {
    ...request.bootFiles,
    'cmdline.txt': { text: cmdline },
    ...Object.fromEntries(Object.entries(texts).map(([name, text]): [string, BootFile] => [name, { text }])),
  })
  const layout = diskLayout(request.slotSize)
  const disk = planDisk(layout, request.host, boot, slot)
  const outputs = await writeOutputs(request.output, request.host, {
    texts,
    images: {
      'boot.img': { size: boot.size, segments: boot.segments },
      'slot.img': { size: slot.size, segments: slot.segments },
      [`${request.host}.img`]: { size: layout.size, segments: disk },
    },
    bmap: formatBmap(layout.size, disk),
  })
  return { root: slot.root, slotSize: slot.size, outputs }
}

function manifestOf(request: AssembleRequest, slot: PlannedSlot, cmdline: string): Manifest {
  const { host, board, serial, keys, versions, bootFiles } = request
  const files = Object.entries(bootFiles).map(([name, { size, digest }]) => [name, { size, sha256: digest }] as const)
  return {
    format: 1,
    host,
    board: board.name,
    layout: 1,
    serial,
    signature: keys.signing.kind,
    keys: { signing: keys.signing.kind === 'signed' ? [keys.signing.publicLine] : [], ssh: [...keys.ssh] },
    slot: {
      size: slot.size,
      sha256: digestSegments(slot.size, slot.segments),
      dataBlocks: slot.dataBlocks,
      root: slot.root,
      layers: [...slot.layers],
    },
    boot: { ...Object.fromEntries(files), 'cmdline.txt': { size: cmdline.length, sha256: digestOf(cmdline) } },
    versions,
  }
}

interface Outputs {
  readonly texts: Readonly<Record<string, string>>
  readonly images: Readonly<Record<string, { readonly size: number; readonly segments: readonly Segment[] }>>
  readonly bmap: string
}

/** Writes what differs from what is there. The sums come last: they name only what is complete. */
async function writeOutputs(
  directory: string,
  host: string,
  { texts, images, bmap }: Outputs,
): Promise<Assembled['outputs']> {
  await mkdir(directory, { recursive: true })
  const state = readState(directory)
  const disk = `${host}.img`
  const summed = Object.entries(images).filter(([name]) => name !== disk)
  const sums = new Map(summed.map(([name, { size, segments }]) => [name, sumOf(state[name], size, segments)]))
  for (const [name, text] of Object.entries({ ...texts, [`${disk}.bmap`]: bmap })) sums.set(name, digestOf(text))
  const files: Record<string, { size: number; segments: readonly Segment[] }> = { ...images }
  const all = { ...texts, [`${disk}.bmap`]: bmap, SHA256SUMS: sumsText(sums) }
  for (const [name, text] of Object.entries(all)) files[name] = textFile(text)
  const changed = Object.entries(files).filter(([name, { size, segments }]) => !holds(state[name], size, segments))
  if (changed.length === 0) return 'unchanged'
  await forgetState(directory)
  if (!('manifest.json.sig' in texts)) await rm(join(directory, 'manifest.json.sig'), { force: true })
  for (const [name, { size, segments }] of changed) writeSegments(join(directory, name), size, segments, state[name])
  await writeState(
    directory,
    Object.fromEntries(
      Object.entries(files).map(([name, { segments }]) => [
        name,
        fileState(join(directory, name), segments, sums.get(name)),
      ]),
    ),
  )
  return Object.keys(state).length === 0 ? 'written' : 'patched'
}

/** Hashing is the dearest part of a small change: a file that stays as it is keeps its sum. */
function sumOf(state: FileState | undefined, size: number, segments: readonly Segment[]): Digest {
  return holds(state, size, segments) && state.sha256 !== undefined ? state.sha256 : digestSegments(size, segments)
}

function textFile(text: string): { size: number; segments: readonly Segment[] } {
  const bytes = Buffer.from(text)
  return { size: bytes.length, segments: [bytesSegment(0, bytes)] }
}

function sumsText(sums: ReadonlyMap<string, Digest>): string {
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, digest]) => `${digest}  ${name}\n`)
    .join('')
}
