import { hash } from 'node:crypto'
import { decideBoot } from '../../flash/vm/firmware.ts'
import { CURRENT_EEPROM, POWER_ON } from '../../flash/vm/firmware-state.ts'
import type { BlockSource } from '../../images/disk/block-source.ts'
import { openFat } from '../../images/disk/fat-read.ts'
import { readGpt } from '../../images/disk/gpt-read.ts'
import { parseAutoboot } from '../../images/disk/selector.ts'
import { type PartitionName, SECTOR } from '../../images/layout.ts'
import { parseManifest } from '../../images/manifest.ts'
import type { Slot } from '../../images/names.ts'
import { type BtrfsRoot, readBtrfsRoot } from './btrfs-superblock.ts'
import { type DiskState, slice } from './disk-state.ts'
import { Memo } from './memo.ts'
import { SlotCheck, type SlotRoot } from './slot-check.ts'
import { type NewestCopy, readIdentity, readRecord } from './stored-copies.ts'

/** The result of booting a disk. */
export interface Verdict {
  /** The slot that the firmware boots. Undefined if the firmware boots none. */
  readonly boots: Slot | undefined
  /** The slot that the initramfs opens, and its root hash. */
  readonly runs: ({ readonly slot: Slot } & SlotRoot) | undefined
  readonly selector: Slot | 'damaged'
  /** State of the other slot: UNBOOTABLE, WHOLE, or the description of its problem. */
  readonly other: string
  readonly identity: NewestCopy
  readonly record: NewestCopy
  readonly data: BtrfsRoot
  /** Descriptions of the problems of the slot that boots. */
  readonly problems: readonly string[]
}

type Boot =
  | { readonly slot: Slot; readonly wanted: SlotRoot; readonly problem: undefined }
  | { readonly slot: Slot | undefined; readonly wanted: undefined; readonly problem: string }

type Places = ReadonlyMap<string, { readonly offset: number; readonly size: number }>

/** Judges states of a disk. Checks parts that several states share only once. */
export class Judge {
  private readonly boots = new Memo<Boot>()
  private readonly places = new Memo<Places>()
  private readonly files = { a: new Memo<string | undefined>(), b: new Memo<string | undefined>() }
  private readonly selectors = new Memo<Slot | 'damaged'>()
  private readonly identities = new Memo<NewestCopy>()
  private readonly records = new Memo<NewestCopy>()
  private readonly btrfs = new Memo<BtrfsRoot>()
  private readonly others = { a: new Memo<SlotRoot | undefined>(), b: new Memo<SlotRoot | undefined>() }
  private readonly slots = { a: new SlotCheck(), b: new SlotCheck() }

  judge(disk: DiskState): Verdict {
    const places = this.places.get(disk, placesOf)
    const part = (name: PartitionName) => partitionOf(disk, places, name)
    const boot = this.boots.get(disk, bootOf)
    const found = boot.problem === undefined ? this.inspect(boot.slot, boot.wanted, part) : undefined
    return {
      boots: boot.slot,
      runs: found?.runs,
      selector: this.selectors.get(part('selector'), selectorOf),
      other: boot.slot === undefined ? UNBOOTABLE : this.inspectOther(OTHER[boot.slot], part),
      identity: this.identities.get(part('identity'), readIdentity),
      record: this.records.get(part('identity'), readRecord),
      data: this.btrfs.get(part('data'), readBtrfsRoot),
      problems: found?.problems ?? [boot.problem ?? ''],
    }
  }

  private inspect(slot: Slot, wanted: SlotRoot, part: (name: PartitionName) => DiskState) {
    const files = this.filesOf(slot, wanted, part)
    // Like overlays/device/initramfs/init: first the slot of the boot partition, then the other one.
    const opened = [slot, OTHER[slot]].find((name) => this.slots[name].opens(part(`slot-${name}`), wanted))
    if (opened === undefined) {
      return {
        runs: undefined,
        problems: [...listed(files), `neither slot verifies against the root hash ${wanted.root}`],
      }
    }
    const blocks = this.slots[opened].problemOf(part(`slot-${opened}`), wanted)
    const damaged = blocks === undefined ? [] : [`slot ${opened}: ${blocks}`]
    return { runs: { slot: opened, ...wanted }, problems: [...listed(files), ...damaged] }
  }

  /** A slot that can boot must be complete. */
  private inspectOther(slot: Slot, part: (name: PartitionName) => DiskState): string {
    if (
      part(`boot-${slot}`)
        .read(0, SECTOR)
        .every((byte) => byte === 0)
    )
      return UNBOOTABLE
    const wanted = this.others[slot].get(part(`boot-${slot}`), slotRootIn)
    if (wanted === undefined) return 'cannot read its command line'
    return this.filesOf(slot, wanted, part) ?? this.slots[slot].problemOf(part(`slot-${slot}`), wanted) ?? WHOLE
  }

  private filesOf(slot: Slot, { root }: SlotRoot, part: (name: PartitionName) => DiskState): string | undefined {
    return this.files[slot].get(part(`boot-${slot}`), (source) => problemOfFiles(source, root))
  }
}

/** Describes the data that were on the disk before a cut and are lost after it. */
export function losses(before: Verdict, after: Verdict): string[] {
  const lost = (what: 'identity' | 'record') => lossOf(what, before[what], after[what])
  const data = before.data !== 'none' && after.data === 'none' ? ['data: both superblocks are damaged'] : []
  return [...lost('identity'), ...lost('record'), ...data]
}

function lossOf(what: string, before: NewestCopy, after: NewestCopy): string[] {
  // With one blank and one damaged copy, the host uses a temporary identity.
  const isGone = after.state === 'lost' || (what === 'identity' && after.state === 'unfinished')
  if (isGone) return [`${what}: both copies are damaged`]
  if (before.state !== 'whole') return []
  if (after.state !== 'whole') return [`${what}: ${after.state}, was number ${before.sequence}`]
  return after.sequence < before.sequence ? [`${what}: number ${after.sequence}, was ${before.sequence}`] : []
}

export const UNBOOTABLE = 'unbootable'
export const WHOLE = 'whole'

const OTHER = { a: 'b', b: 'a' } as const

const SLOTS: Readonly<Record<number, Slot>> = { 2: 'a', 3: 'b' }

function bootOf(disk: BlockSource): Boot {
  const decision = decideBoot(disk, POWER_ON, CURRENT_EEPROM)
  if (decision.outcome === 'stuck') return { slot: undefined, wanted: undefined, problem: `stuck: ${decision.reason}` }
  const { partition, commandLine } = decision
  const slot = SLOTS[partition]
  if (slot === undefined)
    return { slot, wanted: undefined, problem: `boots partition ${partition}, which is not a slot` }
  const wanted = parseCommandLine(commandLine)
  if (wanted !== undefined) return { slot, wanted, problem: undefined }
  return { slot, wanted: undefined, problem: `slot ${slot}: the command line has no root hash: '${commandLine}'` }
}

function parseCommandLine(text: string): SlotRoot | undefined {
  const root = /(?:^| )hangar\.root=([0-9a-f]{64})(?: |$)/.exec(text)?.[1]
  const blocks = Number(/(?:^| )hangar\.blocks=(\d{1,12})(?: |$)/.exec(text)?.[1])
  return root !== undefined && blocks > 0 ? { root, blocks } : undefined
}

function slotRootIn(source: BlockSource): SlotRoot | undefined {
  try {
    return parseCommandLine(
      Buffer.from(openFat(source).read('cmdline.txt') ?? [])
        .toString()
        .trim(),
    )
  } catch {
    return undefined
  }
}

function problemOfFiles(source: BlockSource, root: string): string | undefined {
  try {
    const volume = openFat(source)
    const manifest = parseManifest(Buffer.from(volume.read('manifest.json') ?? []).toString(), 'manifest.json')
    if (manifest.slot.root !== root) return `the manifest is of root hash ${manifest.slot.root}`
    const bad = Object.entries(manifest.boot).find(([name, { sha256 }]) => {
      const bytes = volume.read(name)
      return bytes === undefined || hash('sha256', bytes) !== sha256
    })
    return bad === undefined ? undefined : `${bad[0]} does not match the manifest`
  } catch (error) {
    return (error as Error).message
  }
}

function selectorOf(source: BlockSource): Slot | 'damaged' {
  try {
    return parseAutoboot(openFat(source).read('autoboot.txt') ?? new Uint8Array())
  } catch {
    return 'damaged'
  }
}

function placesOf(disk: BlockSource): Places {
  try {
    return new Map(readGpt(disk).map((partition) => [partition.name, partition]))
  } catch {
    return new Map()
  }
}

function partitionOf(disk: DiskState, places: Places, name: PartitionName): DiskState {
  const { offset, size } = places.get(name) ?? { offset: disk.size, size: 0 }
  return slice(disk, offset, size)
}

function listed(problem: string | undefined): string[] {
  return problem === undefined ? [] : [`boot file system: ${problem}`]
}
