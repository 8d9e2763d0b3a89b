import { closeSync, openSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { atExit } from '../../lib/at-exit.ts'
import { privateDirectory } from '../private-directory.ts'
import { SerialConsole } from './console.ts'
import { withDisk } from './disk.ts'
import { decideBoot, type FirmwareDecision } from './firmware.ts'
import { type FirmwarePort, openFirmwarePort } from './firmware-port.ts'
import { CURRENT_EEPROM, type FirmwareSettings, type FirmwareState, POWER_ON } from './firmware-state.ts'
import { withFirmwareFacts } from './firmware-tree.ts'
import type { Link } from './netdev.ts'
import type { Program } from './program.ts'
import { type QemuEnding, type RunningQemu, runQemu, startQemu } from './qemu.ts'
import { dumpArguments, type Hardware, type Payload, startArguments } from './qemu-arguments.ts'
import { memoryFile, readSavedState, writeSavedState } from './saved-state.ts'

export interface MachineOptions {
  readonly qemu: Program
  /** Raw disk image; the machine writes to it. */
  readonly disk: string
  /** The memory size in bytes. */
  readonly memory: number
  readonly accelerator: 'tcg' | 'kvm'
  readonly link: Link
  readonly firmware?: Partial<FirmwareSettings> | undefined
  /** The write log, as in `Hardware`. The machine creates a missing log, and appends to it after each reset. */
  readonly clock?: string | undefined
  readonly secondDisk?: string | undefined
  readonly writeLog?: string | undefined
  /** The directory of a state that `save` wrote. `disk` must be a copy of the disk at the time of `save`. */
  readonly savedState?: string | undefined
  /** Receives the console's text as it arrives. */
  readonly onOutput?: (text: string) => void
}

/** The reason why the machine is off. */
export type MachineEnding = 'power-off' | 'stopped' | 'stuck'

/** The facts that the firmware passed to the kernel at one start of the kernel. */
export interface Start {
  readonly partition: number
  readonly tryboot: boolean
}

/** The cause of a reset: the guest itself, or its watchdog. */
export type Reset = 'guest' | 'watchdog'

/** A machine that runs until it switches itself off or is stopped; a reset does not end it. */
export interface Machine {
  readonly console: SerialConsole
  /** The starts of a kernel so far. All except the first are reboots. A saved state contains them. */
  readonly starts: readonly Start[]
  /** The resets so far. */
  readonly resets: readonly Reset[]
  readonly ended: Promise<MachineEnding>
  send(text: string): void
  /** Sets the one-shot flag, as the guest does by its port to the firmware: the next reset starts a trial. */
  armTryboot(): void
  /**
   * Saves the running machine to an existing directory and ends it. The caller copies the disk afterwards. Throws an error
   * while the one-shot flag is set, because a saved state does not contain it.
   */
  save(directory: string): Promise<void>
  /** Switches the machine off; QEMU may finish its writes. */
  stop(): Promise<void>
  /** Cuts the power: QEMU stops without further writes, and the firmware loses the one-shot flag. */
  powerCut(): Promise<void>
}

/** Runs the firmware and QEMU alternately: each reset runs the firmware again. */
export function startMachine(options: MachineOptions): Machine {
  const run = new MachineRun(options)
  return {
    console: run.console,
    starts: run.starts,
    resets: run.resets,
    ended: run.ended,
    send: (text) => run.send(text),
    armTryboot: () => run.armTryboot(),
    save: (directory) => run.save(directory),
    stop: () => run.end('stop'),
    powerCut: () => run.end('kill'),
  }
}

/** The kind of a disk that has no digit in BOOT_ORDER, such as a virtio disk. */
const NO_KIND = 0

class MachineRun {
  readonly console = new SerialConsole()
  readonly starts: Start[] = []
  readonly resets: Reset[] = []
  readonly ended: Promise<MachineEnding>
  private readonly options: MachineOptions
  private readonly settings: FirmwareSettings
  private readonly directory: string
  private readonly hardware: Hardware
  private state: FirmwareState = POWER_ON
  private qemu: RunningQemu | undefined
  private payload: Payload | undefined
  private stopping = false

  constructor(options: MachineOptions) {
    this.options = options
    this.settings = { ...CURRENT_EEPROM, ...options.firmware }
    this.directory = privateDirectory()
    const path = (name: string) => join(this.directory, name)
    this.hardware = { ...options, control: path('control'), firmwarePort: path('firmware') }
    const cleanUp = () => rmSync(this.directory, { recursive: true, force: true })
    const cancel = atExit(cleanUp)
    this.ended = this.run().finally(() => {
      this.console.end()
      cancel()
      cleanUp()
    })
    // Ignores the error here, because callers that wait for the console get the same error there.
    this.ended.catch(() => undefined)
  }

  send(text: string): void {
    this.qemu?.input.write(text)
  }

  armTryboot(): void {
    this.state = { ...this.state, tryboot: 'armed' }
  }

  async save(directory: string): Promise<void> {
    const { qemu, payload, hardware, starts } = this
    if (qemu === undefined || payload === undefined) throw new Error('cannot save a machine that does not run')
    if (this.state.tryboot === 'armed') throw new Error('cannot save a machine whose one-shot flag is set')
    await qemu.save(memoryFile(directory))
    const { text } = this.console
    await writeSavedState(directory, { qemu: this.options.qemu, hardware, payload, starts, console: text })
    await this.end('stop')
  }

  async end(how: 'stop' | 'kill'): Promise<void> {
    this.stopping = true
    await this.qemu?.[how]()
    await this.ended.catch(() => undefined)
  }

  private async run(): Promise<MachineEnding> {
    if (this.options.writeLog !== undefined) closeSync(openSync(this.options.writeLog, 'a'))
    const port = await this.openPort()
    try {
      return await this.turns()
    } finally {
      port.close()
    }
  }

  private openPort(): Promise<FirmwarePort> {
    return openFirmwarePort(this.hardware.firmwarePort, {
      tryboot: () => this.state.tryboot,
      setTryboot: (tryboot) => {
        this.state = { ...this.state, tryboot }
      },
    })
  }

  private async turns(): Promise<MachineEnding> {
    if (this.options.savedState !== undefined) {
      const ending = await this.resume(this.options.savedState)
      if (ending === 'power-off' || ending === 'stopped') return ending
      this.resets.push(ending === 'watchdog' ? 'watchdog' : 'guest')
    }
    while (!this.stopping) {
      const before = this.state
      const decision = this.decide()
      if (decision.outcome === 'stuck') {
        // Resets after a trial that cannot start (REBOOT_ON_FATAL_ERROR): the firmware then boots without the flag.
        if (before.tryboot === 'clear' && before.partition === undefined) return 'stuck'
        continue
      }
      const ending = await this.start(decision)
      if (ending === 'power-off' || ending === 'stopped') return ending
      this.resets.push(ending === 'watchdog' ? 'watchdog' : 'guest')
    }
    return 'stopped'
  }

  private decide(): FirmwareDecision {
    const decision = withDisk(this.options.disk, (disk) => decideBoot(disk, this.state, this.settings))
    this.state = decision.next
    for (const line of decision.trace) this.show(`firmware: ${line}\r\n`)
    if (decision.outcome === 'stuck') this.show(`firmware: cannot start: ${decision.reason}\r\n`)
    return decision
  }

  private async start(decision: FirmwareDecision & { outcome: 'start' }): Promise<QemuEnding> {
    const payload = await this.writePayload(decision)
    if (this.stopping) return 'stopped'
    const start = { partition: decision.partition, tryboot: decision.tryboot }
    return this.runQemu(payload, () => this.starts.push(start))
  }

  private resume(directory: string): Promise<QemuEnding> {
    const { memory, payload, starts, console } = readSavedState(directory, this.options.qemu, this.hardware)
    this.console.append(console)
    // The saved machine had kept its power since its first start.
    this.state = { ...this.state, bootCount: starts.length % 256 }
    return this.runQemu(payload, () => this.starts.push(...starts), memory)
  }

  private async runQemu(payload: Payload, onStart: () => void, memory?: string): Promise<QemuEnding> {
    const args = startArguments(this.hardware, payload, memory)
    const running = await startQemu(this.options.qemu, args, this.hardware.control)
    this.qemu = running
    this.payload = payload
    onStart()
    running.output.setEncoding('utf8').on('data', (text: string) => this.show(text))
    if (this.stopping) await running.stop()
    return running.ended
  }

  private async writePayload(decision: FirmwareDecision & { outcome: 'start' }): Promise<Payload> {
    const path = (name: string) => join(this.directory, name)
    const { kernel, initramfs, commandLine, partition, tryboot, next } = decision
    await runQemu(this.options.qemu, dumpArguments(this.hardware, path('machine.dtb')))
    const tree = withDisk(path('machine.dtb'), (file) => file.read(0, file.size))
    await writeFile(path('kernel'), kernel.bytes)
    const facts = { ...this.settings, bootMode: NO_KIND, partition, tryboot, bootCount: next.bootCount }
    await writeFile(path('device-tree.dtb'), withFirmwareFacts(tree, facts))
    if (initramfs !== undefined) await writeFile(path('initramfs'), initramfs.bytes)
    return {
      kernel: path('kernel'),
      initramfs: initramfs === undefined ? undefined : path('initramfs'),
      deviceTree: path('device-tree.dtb'),
      commandLine,
    }
  }

  private show(text: string): void {
    this.console.append(text)
    this.options.onOutput?.(text)
  }
}
