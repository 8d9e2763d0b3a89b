import { readFileSync } from 'node:fs'
import type { Board } from '../../../images/board.ts'
import { type Digest, digestOf } from '../../../images/digest.ts'
import { type Manifest, manifestText } from '../../../images/manifest.ts'
import { SBOM_FILE, sbomBytes } from '../../../images/sbom/document.ts'
import { signText } from '../../../images/signature/sshsig.ts'
import { withFileLock } from '../../../lib/file-lock.ts'
import type { Signing } from '../../keys/owner-keys.ts'
import { type Outcome, type SummedFile, summed } from '../../outputs/outputs.ts'
import { readState } from '../../outputs/state.ts'
import type { BootFile } from './boot.ts'
import { layOut, type OutputFact } from './lay-out.ts'
import { type PlannedSlot, planSlot, type RealisedLayer } from './slot.ts'

export interface AssembleRequest {
  readonly host: string
  readonly board: Board
  readonly slotSize: number
  readonly serial: { readonly time: number; readonly number: number }
  readonly layers: readonly RealisedLayer[]
  readonly bootFiles: Readonly<
    Record<string, { readonly file: string; readonly size: number; readonly digest: Digest }>
  >
  /** Public keys that may log in, for the manifest. */
  readonly sshKeys: readonly string[]
  readonly signingKeys: readonly string[]
  readonly kernelArguments: readonly string[]
  readonly versions: Readonly<Record<string, string>>
  /** What the `sbom` derivation left. */
  readonly sbom: { readonly file: string; readonly digest: Digest }
  readonly signing: Signing
  /** Directory of the results; made where it is missing. */
  readonly output: string
}

export interface Assembled {
  readonly root: Digest
  readonly slotSize: number
  readonly outputs: Outcome
  /** The whole boot file system, in the order in which its files lie. */
  readonly boot: Readonly<Record<string, BootFile>>
  /** What lies beside the images: file name -> text. */
  readonly texts: Readonly<Record<string, string | Uint8Array>>
  readonly facts: readonly OutputFact[]
}

/** Puts layers and boot files together into a host's output directory, and signs them. */
export function assemble(request: AssembleRequest): Promise<Assembled> {
  return withFileLock(request.output, () => assembleAlone(request))
}

async function assembleAlone(request: AssembleRequest): Promise<Assembled> {
  const { host, slotSize, output, signing } = request
  const slot = planSlot(request.layers, slotSize)
  const cmdline = `${[...request.kernelArguments, `hangar.root=${slot.root}`, `hangar.blocks=${slot.dataBlocks}`].join(' ')}\n`
  const state = readState(output)
  const slotFile = summed(state['slot.img'], slot.size, slot.segments)
  const described = manifestOf(request, slot, slotFile, cmdline)
  const manifest = manifestText(described)
  const signature = signing.kind === 'signed' ? { 'manifest.json.sig': signText(manifest, signing.key) } : {}
  const texts = { 'manifest.json': manifest, ...signature }
  const boot = {
    ...request.bootFiles,
    'cmdline.txt': { text: cmdline },
    ...Object.fromEntries(Object.entries(texts).map(([name, text]): [string, BootFile] => [name, { text }])),
  }
  const rest = { bytes: readFileSync(request.sbom.file), digest: request.sbom.digest }
  const said = { ...texts, [SBOM_FILE]: sbomBytes(described, rest) }
  const { facts, write } = layOut({ host, slotSize, slot, slotFile, boot, texts: said, output, state })
  return { root: slot.root, slotSize: slot.size, outputs: await write(), boot, texts: said, facts }
}

function manifestOf(request: AssembleRequest, slot: PlannedSlot, { sha256 }: SummedFile, cmdline: string): Manifest {
  const { host, board, serial, signing, sshKeys, signingKeys, versions, bootFiles } = request
  const files = Object.entries(bootFiles).map(([name, { size, digest }]) => [name, { size, sha256: digest }] as const)
  return {
    format: 1,
    host,
    board: board.name,
    layout: 1,
    serial,
    signature: signing.kind,
    keys: { signing: [...signingKeys], ssh: [...sshKeys] },
    slot: {
      size: slot.size,
      sha256,
      dataBlocks: slot.dataBlocks,
      root: slot.root,
      layers: [...slot.layers],
    },
    boot: {
      ...Object.fromEntries(files),
      'cmdline.txt': { size: Buffer.byteLength(cmdline), sha256: digestOf(cmdline) },
    },
    versions,
  }
}
