import type { BootVolume } from './boot-volumes.ts'
import { parseConfigText } from './config-text.ts'
import type { FirmwareSettings, FirmwareState } from './firmware-state.ts'

/** The partition that boots and the name of its configuration, or the reason why none boots. */
export type Choice =
  | { readonly volume: BootVolume; readonly configName: 'config.txt' | 'tryboot.txt' }
  | { readonly volume: undefined; readonly reason: string }

/** The size limit of autoboot.txt in bytes. The firmware reads only one sector. */
const AUTOBOOT_LIMIT = 512
/** The number of the last partition that PARTITION_WALK tries. */
const LAST_WALKED = 8

/**
 * Selects the partition in the same order as the EEPROM: the one in the reset register, then the one in autoboot.txt,
 * then the first bootable one.
 */
export function choosePartition(
  volumes: readonly BootVolume[],
  state: FirmwareState,
  settings: FirmwareSettings,
  trace: string[],
): Choice {
  const autoboot = readAutoboot(volumes, state.tryboot === 'armed', trace)
  const requested = state.partition ?? autoboot.partition ?? 0
  trace.push(`select: register ${state.partition ?? 0}, autoboot.txt ${autoboot.partition ?? 0}, result ${requested}`)
  const volume = findVolume(volumes, requested, settings, trace)
  if (volume === undefined) {
    return { volume, reason: requested === 0 ? 'no partition can boot' : `partition ${requested} cannot boot` }
  }
  const trial = state.tryboot === 'armed' && !autoboot.sameConfig
  const configName = trial ? 'tryboot.txt' : 'config.txt'
  if (volume.read(configName) === undefined) {
    return { volume: undefined, reason: `partition ${volume.number} has no ${configName}` }
  }
  trace.push(`boot: partition ${volume.number} (${volume.label}) with ${configName}`)
  return { volume, configName }
}

interface Autoboot {
  readonly partition: number | undefined
  /** `tryboot_a_b=1`: a trial reads config.txt of another partition instead of tryboot.txt. */
  readonly sameConfig: boolean
}

const NO_AUTOBOOT: Autoboot = { partition: undefined, sameConfig: false }

/** Reads autoboot.txt of the first FAT partition only. */
function readAutoboot(volumes: readonly BootVolume[], tryboot: boolean, trace: string[]): Autoboot {
  const first = volumes[0]
  const bytes = first?.read('autoboot.txt')
  if (first === undefined || bytes === undefined) {
    trace.push('autoboot.txt: none')
    return NO_AUTOBOOT
  }
  if (bytes.length > AUTOBOOT_LIMIT) {
    trace.push(`autoboot.txt: ignored: ${bytes.length} bytes, at most ${AUTOBOOT_LIMIT} are allowed`)
    return NO_AUTOBOOT
  }
  const { settings, remarks } = parseConfigText(Buffer.from(bytes).toString('latin1'), {
    tryboot,
    partition: undefined,
  })
  const number = settings.get('boot_partition')
  trace.push(...remarks.map((remark) => `autoboot.txt: ${remark}`))
  for (const [key, value] of settings) trace.push(`autoboot.txt: ${key}=${value}`)
  return {
    partition: number !== undefined && /^\d{1,2}$/.test(number) ? Number(number) : undefined,
    sameConfig: settings.get('tryboot_a_b') === '1',
  }
}

function findVolume(
  volumes: readonly BootVolume[],
  requested: number,
  settings: FirmwareSettings,
  trace: string[],
): BootVolume | undefined {
  const canBoot = (volume: BootVolume) => bootable(volume, settings, trace)
  if (requested === 0) return volumes.find(canBoot)
  const wanted = volumes.find(({ number }) => number === requested)
  if (wanted === undefined) trace.push(`partition ${requested}: no FAT partition`)
  else if (canBoot(wanted)) return wanted
  // Does not try further partitions after one with an autoboot.txt: such a partition only redirects the boot, and is
  // not damaged.
  if (settings.partitionWalk === 'off' || wanted?.read('autoboot.txt') !== undefined) return undefined
  trace.push(`partition walk: from ${requested} up to ${LAST_WALKED}, then from 1`)
  return walkOrder(requested)
    .flatMap((number) => volumes.filter((volume) => volume.number === number))
    .find(canBoot)
}

function walkOrder(from: number): number[] {
  const all = Array.from({ length: LAST_WALKED }, (_, index) => index + 1)
  return [...all.filter((number) => number > from), ...all.filter((number) => number < from)]
}

const DEVICE_TREES: Record<FirmwareSettings['stepping'], readonly string[]> = {
  c1: ['bcm2712-rpi-5-b.dtb'],
  d0: ['bcm2712d0-rpi-5-b.dtb', 'bcm2712-d-rpi-5-b.dtb'],
}

function bootable(volume: BootVolume, settings: FirmwareSettings, trace: string[]): boolean {
  const missing = whatIsMissing(volume, DEVICE_TREES[settings.stepping])
  trace.push(`partition ${volume.number} (${volume.label}): ${missing === undefined ? 'can boot' : `no ${missing}`}`)
  return missing === undefined
}

function whatIsMissing(volume: BootVolume, deviceTrees: readonly string[]): string | undefined {
  const config = volume.read('config.txt')
  if (config === undefined) return 'config.txt'
  const facts = { tryboot: false, partition: volume.number }
  const { settings } = parseConfigText(Buffer.from(config).toString('latin1'), facts)
  if (settings.get('os_check') === '0') return undefined
  return deviceTrees.some((name) => volume.read(name) !== undefined) ? undefined : deviceTrees[0]
}
