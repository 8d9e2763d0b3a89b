import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import type { DeviceStatus } from '../../flash/ssh/status.ts'
import type { PlanRequest, Run, Target, TargetDriver } from '../../flash/targets/target.ts'
import { digestOf } from '../../images/digest.ts'
import type { Slot } from '../../images/names.ts'
import { FakeClock } from './fake-clock.ts'
import { listProgress } from './progress-list.ts'
import { tempDirectory } from './temp.ts'

/** A platform that shares nothing with the Pi: its image is one text file, and a variable selects the partition. */
interface Firmware {
  readonly text: string
  readonly root: string
}

type FirmwareStep =
  | { readonly kind: 'upload'; readonly bytes: number }
  | { readonly kind: 'flip'; readonly slot: Slot }
  | { readonly kind: 'reboot'; readonly slot: Slot }

interface FirmwareRun extends Run<FirmwareStep> {
  readonly text: string
}

/** A router in memory, with the output files of a build for its platform. */
export async function fakeFirmware() {
  const directory = await tempDirectory()
  const next = await writeFirmware(directory, 'gaeta', 'new')
  const device = new FakeRouter(firmwareOf('gaeta', 'old'))
  const clock = new FakeClock()
  const driver: TargetDriver<Firmware, FirmwareRun> = {
    withArtifact: async (host, from, use) => {
      const text = await readFile(join(from, 'firmware.txt'), 'utf8')
      if (!text.startsWith(`${host}\n`)) throw new UserError('update', `the firmware is not for '${host}'`)
      return use({ text, root: digestOf(text) })
    },
    open: () => targetOf(device, clock),
  }
  return { driver, device, clock, directory, root: next.root, progress: listProgress() }
}

async function writeFirmware(directory: string, host: string, content: string): Promise<Firmware> {
  const firmware = firmwareOf(host, content)
  await writeFile(join(directory, 'firmware.txt'), firmware.text)
  return firmware
}

function firmwareOf(host: string, content: string): Firmware {
  const text = `${host}\n${content}\n`
  return { text, root: digestOf(text) }
}

class FakeRouter {
  readonly slots: Record<Slot, string | undefined>
  running: Slot = 'a'
  selected: Slot = 'a'
  boots = 1
  fails = false

  constructor({ text }: Firmware) {
    this.slots = { a: text, b: undefined }
  }

  /** If an image does not start, the boot loader returns to the former slot. */
  reboot(): void {
    this.boots += 1
    if (this.fails) this.selected = this.running
    this.running = this.selected
  }

  status(): DeviceStatus {
    const serial = { time: 1, number: 1 }
    const state = (text: string | undefined) =>
      text === undefined
        ? ({ state: 'empty' } as const)
        : ({ state: 'bootable', root: digestOf(text) as string, serial } as const)
    return {
      ...{ protocols: [1], host: 'gaeta', board: 'router', layout: 1, bootId: `boot-${this.boots}`, uptime: 60 },
      ...{ slot: this.running, root: digestOf(this.slots[this.running] ?? ''), state: 'committed' },
      ...{ committed: this.running, update: null, health: { state: 'healthy' }, built: 1, lock: null, data: null },
      slots: { a: state(this.slots.a), b: state(this.slots.b) },
      trust: { serial, signing: [], revoked: [] },
      clock: { now: 1_795_400_000, source: 'network' },
      firmware: { version: 'u-boot', time: 1 },
      kernel: '6.12',
    }
  }
}

function targetOf(device: FakeRouter, clock: FakeClock): Target<Firmware, FirmwareRun> {
  return {
    host: 'gaeta',
    status: async () => device.status(),
    plan: async (status, request) => planOf(status, request, device),
    describe: (step) => ({
      name: step.kind === 'upload' ? 'upload the firmware' : `${step.kind} to slot ${step.slot}`,
      atMost: step.kind === 'upload' ? step.bytes : 0,
      services: step.kind === 'reboot' ? 'stop' : 'run',
    }),
    perform: (run) => performFirst(device, clock, run),
  }
}

function planOf({ slot }: DeviceStatus, request: PlanRequest<Firmware>, { slots }: FakeRouter): FirmwareRun {
  const other = slot === 'a' ? 'b' : 'a'
  const none = { slot: other, sent: 0, downtime: undefined } as const
  const boot: readonly FirmwareStep[] = [
    { kind: 'flip', slot: other },
    { kind: 'reboot', slot: other },
  ]
  if (request.kind === 'revert') {
    const text = slots[other]
    if (text === undefined) throw new UserError('update', `not reverted: slot ${other} of 'gaeta' is empty`)
    return { ...none, ending: 'reverted', root: digestOf(text), text, steps: boot }
  }
  const { text, root } = request.artifact
  if (slots[slot] === text) return { ...none, ending: 'nothing', slot, root, text, steps: [] }
  const upload: FirmwareStep = { kind: 'upload', bytes: text.length }
  if (request.goal.kind === 'stage') return { ...none, ending: 'staged', root, text, steps: [upload] }
  return { ...none, ending: 'updated', root, text, steps: [upload, ...boot] }
}

async function performFirst(device: FakeRouter, clock: FakeClock, run: FirmwareRun): Promise<FirmwareRun> {
  const [step, ...steps] = run.steps
  switch (step?.kind) {
    case 'upload':
      device.slots[run.slot] = run.text
      return { ...run, steps, sent: run.sent + step.bytes }
    case 'flip':
      device.selected = step.slot
      return { ...run, steps }
    case 'reboot': {
      device.reboot()
      await clock.sleep(20_000)
      if (device.running === step.slot) return { ...run, steps, downtime: 20 }
      const hint = 'look at the host: npm run status gaeta'
      throw new UserError('update', `'gaeta' returned to slot ${device.running}`, { hint })
    }
    default:
      throw new Error('a run without steps is performed')
  }
}
