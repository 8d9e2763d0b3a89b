import { rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SerialConsole } from './console.ts'
import { removeAbandoned, temporaryDirectory, withDisk } from './disk.ts'
import { decideBoot, type FirmwareDecision } from './firmware.ts'
import { CURRENT_EEPROM, type FirmwareSettings, type FirmwareState, POWER_ON } from './firmware-state.ts'
import { withFirmwareFacts } from './firmware-tree.ts'
import type { Program } from './program.ts'
import { type RunningQemu, runQemu, startQemu } from './qemu.ts'
import { dumpArguments, type ForwardedPort, type Hardware, type Payload, startArguments } from './qemu-arguments.ts'
import type { HostNetwork } from './subnet.ts'

export interface MachineOptions {
  readonly qemu: Program
  /** Raw disk image; the machine writes to it. */
  readonly disk: string
  /** Bytes. */
  readonly memory: number
  readonly accelerator: 'tcg' | 'kvm'
  readonly network: HostNetwork
  readonly forwards: readonly ForwardedPort[]
  readonly firmware?: Partial<FirmwareSettings>
  /** Takes the console's text as it comes. */
  readonly onOutput?: (text: string) => void
}

/** Why the machine is off. */
export type MachineEnding = 'power-off' | 'stopped' | 'stuck'

/** What the firmware told the kernel at one start. */
export interface Start {
  readonly partition: number
  readonly tryboot: boolean
}

/** A machine that runs, through resets, until it switches itself off or is stopped. */
export interface Machine {
  readonly console: SerialConsole
  /** One for each time the firmware started a kernel; all but the first are reboots. */
  readonly starts: readonly Start[]
  readonly ended: Promise<MachineEnding>
  send(text: string): void
  /** What the guest would do with the firmware's mailbox: the next reset is a trial. */
  armTryboot(): void
  /** Switches off at once, as pulling the plug. */
  stop(): Promise<void>
}

/** Runs firmware and QEMU in turns, as a reset of the board would. */
export function startMachine(options: MachineOptions): Machine {
  const run = new MachineRun(options)
  return {
    console: run.console,
    starts: run.starts,
    ended: run.ended,
    send: (text) => run.send(text),
    armTryboot: () => run.armTryboot(),
    stop: () => run.stop(),
  }
}

/** BOOT_ORDER has a digit for every kind of disk that a board can start from; a virtio disk is none of them. */
const NO_KIND = 0
/** The EEPROM whose documented behaviour is emulated: the default release of 2026-05-26. */
const EEPROM = { bootMode: NO_KIND, version: 'hangar-emulation', buildTime: Date.UTC(2026, 4, 26) / 1000 }

class MachineRun {
  readonly console = new SerialConsole()
  readonly starts: Start[] = []
  readonly ended: Promise<MachineEnding>
  private readonly options: MachineOptions
  private readonly directory: string
  private readonly hardware: Hardware
  private state: FirmwareState = POWER_ON
  private qemu: RunningQemu | undefined
  private stopping = false

  constructor(options: MachineOptions) {
    this.options = options
    removeAbandoned(tmpdir())
    this.directory = temporaryDirectory(tmpdir())
    this.hardware = { ...options, control: join(this.directory, 'control') }
    const cleanUp = () => rmSync(this.directory, { recursive: true, force: true })
    process.once('exit', cleanUp)
    this.ended = this.run().finally(() => {
      this.console.end()
      process.off('exit', cleanUp)
      cleanUp()
    })
    // Whoever waits on the console hears of it there.
    this.ended.catch(() => undefined)
  }

  send(text: string): void {
    this.qemu?.input.write(text)
  }

  armTryboot(): void {
    this.state = { ...this.state, tryboot: 'armed' }
  }

  async stop(): Promise<void> {
    this.stopping = true
    await this.qemu?.stop()
    await this.ended.catch(() => undefined)
  }

  private async run(): Promise<MachineEnding> {
    while (!this.stopping) {
      const before = this.state
      const decision = this.decide()
      if (decision.outcome === 'stuck') {
        // REBOOT_ON_FATAL_ERROR: a trial that cannot start ends on what a reset without the flag starts.
        if (before.tryboot === 'clear' && before.partition === undefined) return 'stuck'
        continue
      }
      const ending = await this.start(decision)
      if (ending !== 'reset') return ending
    }
    return 'stopped'
  }

  private decide(): FirmwareDecision {
    const settings = { ...CURRENT_EEPROM, ...this.options.firmware }
    const decision = withDisk(this.options.disk, (disk) => decideBoot(disk, this.state, settings))
    this.state = decision.next
    for (const line of decision.trace) this.show(`firmware: ${line}\r\n`)
    if (decision.outcome === 'stuck') this.show(`firmware: cannot start: ${decision.reason}\r\n`)
    return decision
  }

  private async start(decision: FirmwareDecision & { outcome: 'start' }): Promise<'reset' | 'power-off' | 'stopped'> {
    const payload = await this.writePayload(decision)
    if (this.stopping) return 'stopped'
    const { qemu } = this.options
    const running = await startQemu(qemu, startArguments(this.hardware, payload), this.hardware.control)
    this.qemu = running
    this.starts.push({ partition: decision.partition, tryboot: decision.tryboot })
    running.output.setEncoding('utf8').on('data', (text: string) => this.show(text))
    if (this.stopping) await running.stop()
    return running.ended
  }

  private async writePayload(decision: FirmwareDecision & { outcome: 'start' }): Promise<Payload> {
    const path = (name: string) => join(this.directory, name)
    const { kernel, initramfs, commandLine, partition, tryboot } = decision
    await runQemu(this.options.qemu, dumpArguments(this.hardware, path('machine.dtb')))
    const tree = withDisk(path('machine.dtb'), (file) => file.read(0, file.size))
    await writeFile(path('kernel'), kernel.bytes)
    await writeFile(path('device-tree.dtb'), withFirmwareFacts(tree, { ...EEPROM, partition, tryboot }))
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
