import type { BlockSource } from '../../images/disk/block-source.ts'
import { type BootVolume, bootVolumes } from './boot-volumes.ts'
import { parseConfigText } from './config-text.ts'
import { type FirmwareSettings, type FirmwareState, POWER_ON } from './firmware-state.ts'
import { choosePartition } from './partition-choice.ts'

export interface BootFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** The firmware's decision about a disk. The trace explains the decision, one line for each step. */
export type FirmwareDecision = {
  readonly trace: readonly string[]
  /** The state after this boot. Every boot clears the one-shot flag and the requested partition, and is counted. */
  readonly next: FirmwareState
} & (
  | {
      readonly outcome: 'start'
      readonly partition: number
      readonly tryboot: boolean
      readonly kernel: BootFile
      readonly initramfs: BootFile | undefined
      readonly commandLine: string
    }
  | { readonly outcome: 'stuck'; readonly reason: string }
)

/**
 * Decides a boot as the Pi 5's EEPROM does (raspberrypi/documentation: bootflow-eeprom, autoboot, config_txt, boot
 * folder contents). Only the choice of files is emulated; the trace names every other setting.
 */
export function decideBoot(disk: BlockSource, state: FirmwareState, settings: FirmwareSettings): FirmwareDecision {
  const trace = [`power: tryboot ${state.tryboot}, requested partition ${state.partition ?? 'none'}`]
  const volumes = bootVolumes(disk, trace)
  const choice = choosePartition(volumes, state, settings, trace)
  const after = { trace, next: { ...POWER_ON, bootCount: (state.bootCount + 1) % 256 } }
  if (choice.volume === undefined) return { ...after, outcome: 'stuck', reason: choice.reason }
  const { volume, configName } = choice
  const tryboot = state.tryboot === 'armed'
  const config = readConfig(volume, configName, tryboot, trace)
  const kernel = findKernel(volume, config, trace)
  if (kernel === undefined) return { ...after, outcome: 'stuck', reason: `no kernel on partition ${volume.number}` }
  const initramfs = findInitramfs(volume, config, kernel.name, trace)
  const commandLine = readCommandLine(volume, config, trace)
  return { ...after, outcome: 'start', partition: volume.number, tryboot, kernel, initramfs, commandLine }
}

type Config = ReadonlyMap<string, string>

const EMULATED = new Set(['kernel', 'initramfs', 'auto_initramfs', 'cmdline', 'arm_64bit', 'os_check'])

function readConfig(volume: BootVolume, name: string, tryboot: boolean, trace: string[]): Config {
  const bytes = volume.read(name) ?? new Uint8Array()
  const { settings, remarks } = parseConfigText(Buffer.from(bytes).toString('latin1'), {
    tryboot,
    partition: volume.number,
  })
  trace.push(`${name}: ${settings.size} settings apply`, ...remarks.map((remark) => `${name}: ${remark}`))
  for (const [key, value] of settings) if (!EMULATED.has(key)) trace.push(`${name}: not emulated: ${key}=${value}`)
  if (settings.get('arm_64bit') === '0') trace.push(`${name}: arm_64bit=0 has no effect on a Pi 5`)
  return settings
}

/**
 * The kernel names that a Pi 5 tries if config.txt has no `kernel=`. It also tries the second name if the named kernel
 * is missing.
 */
const KERNELS = ['kernel_2712.img', 'kernel8.img']

function findKernel(volume: BootVolume, config: Config, trace: string[]): BootFile | undefined {
  const named = config.get('kernel')
  for (const name of named === undefined ? KERNELS : [named, 'kernel8.img']) {
    const bytes = volume.read(name)
    trace.push(`kernel: ${name} ${bytes === undefined ? 'is missing' : `(${bytes.length} bytes)`}`)
    if (bytes !== undefined) return { name, bytes }
  }
  return undefined
}

function findInitramfs(volume: BootVolume, config: Config, kernel: string, trace: string[]): BootFile | undefined {
  const automatic = kernel.replace(/^kernel/, 'initramfs').replace(/\.img$/, '')
  const name = config.get('initramfs') ?? (config.get('auto_initramfs') === '1' ? automatic : undefined)
  if (name === undefined) return undefined
  // Concatenates the files, because the setting may name several of them.
  const parts = name.split(',').map((part) => ({ part, bytes: volume.read(part) }))
  for (const { part, bytes } of parts) {
    trace.push(
      `initramfs: ${part} ${bytes === undefined ? 'is missing, starting without it' : `(${bytes.length} bytes)`}`,
    )
  }
  const found = parts.flatMap(({ bytes }) => (bytes === undefined ? [] : [bytes]))
  return found.length === 0 ? undefined : { name, bytes: Buffer.concat(found) }
}

function readCommandLine(volume: BootVolume, config: Config, trace: string[]): string {
  const name = config.get('cmdline') ?? 'cmdline.txt'
  const bytes = volume.read(name)
  if (bytes === undefined) trace.push(`command line: ${name} is missing`)
  const line =
    Buffer.from(bytes ?? [])
      .toString('latin1')
      .split(/[\r\n]/)[0]
      ?.trim() ?? ''
  trace.push(`command line: ${line}`)
  return line
}
