import type { Digest } from '../../../images/digest.ts'
import { formatBmap } from '../../../images/disk/bmap.ts'
import { diskLayout } from '../../../images/layout.ts'
import {
  type Outcome,
  type OutputFile,
  type SummedFile,
  summed,
  textFile,
  writeOutputs,
} from '../../outputs/outputs.ts'
import type { OutputState } from '../../outputs/state.ts'
import { type BootFile, planBoot } from './boot.ts'
import { planDisk } from './disk.ts'
import type { PlannedSlot } from './slot.ts'

/** What is known once the slot is planned and its manifest written. */
export interface LayOutRequest {
  readonly host: string
  readonly slotSize: number
  readonly slot: PlannedSlot
  readonly slotFile: SummedFile
  /** The whole boot file system, in the order in which its files lie. */
  readonly boot: Readonly<Record<string, BootFile>>
  /** What lies beside the images: file name -> text. */
  readonly texts: Readonly<Record<string, string | Uint8Array>>
  readonly output: string
  /** What is in the output directory. */
  readonly state: OutputState
}

export interface OutputFact {
  readonly name: string
  readonly size: number
  /** Undefined where a block map covers the file. */
  readonly sha256: Digest | undefined
}

export interface PlannedOutputs {
  /** Name, size and sum of each file, SHA256SUMS left out. */
  readonly facts: readonly OutputFact[]
  write(): Promise<Outcome>
}

/** Boot and disk image around a slot. Nothing is written until that is asked for. */
export function layOut(request: LayOutRequest): PlannedOutputs {
  const { host, slotSize, slot, slotFile, texts, output, state } = request
  const boot = planBoot(host, request.boot, state['boot.img'])
  const layout = diskLayout(slotSize)
  const disk = planDisk(layout, host, boot, slot)
  const image = `${host}.img`
  const files: Record<string, OutputFile> = {
    'boot.img': summed(state['boot.img'], boot.size, boot.segments),
    'slot.img': slotFile,
    [image]: { size: layout.size, segments: disk, sha256: undefined },
    ...Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, textFile(text)])),
    [`${image}.bmap`]: textFile(formatBmap(layout.size, disk)),
  }
  return {
    facts: Object.entries(files).map(([name, { size, sha256 }]) => ({ name, size, sha256 })),
    write: () => writeOutputs(output, state, files),
  }
}
